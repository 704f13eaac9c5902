"""The ranks have one request at a time, and a stop holds until the run ends."""

from __future__ import annotations

import pytest

from raymon.reporter import InProcessReporter, Reporter
from raymon.training.on_demand.rank_desk import RankDesk
from raymon.wire import PROFILE, STOP, Profiling, RankAnswer
from tests.reporter.windows import auc_metrics


class Run:
    """A run of three ranks, as its desk sees it."""

    def __init__(self) -> None:
        self.attempt = 1
        self.now = 0.0
        self.answers: list[tuple[list[RankAnswer], str | None]] = []
        self.start_reporter()
        self.desk = RankDesk(self, lambda: self.attempt, lambda: self.now)

    def start_reporter(self) -> None:
        self.reporter = InProcessReporter(Reporter(None, [], 10, late_after_s=1e9))
        self.reporter.begin_attempt("t", 3, 0, auc_metrics())
        self.ask_ranks, self.ranks = self.reporter.ask_ranks, self.reporter.ranks
        self.rank_answers = self.reporter.rank_answers

    def asked(self) -> str | None:
        request = self.reporter.acknowledged().result().request
        return None if request is None else request.kind

    def trace(self, *ranks: int, steps: int = 5) -> list[int]:
        profiling = Profiling(steps, ranks)
        return list(self.desk.trace(profiling, lambda *answer: self.answers.append(answer)))

    def answer(self, *ranks: int, failure: str | None = None) -> None:
        number = self.reporter.acknowledged().result().request.number
        for rank in ranks:
            given = RankAnswer(number, rank, "host", 7, 12, failure)
            self.reporter.answer_request(given).result()


def test_steps_are_traced_until_every_rank_has_answered() -> None:
    run = Run()
    assert run.trace() == [0, 1, 2]
    assert run.asked() == PROFILE
    run.answer(2, 0)
    run.desk.look()
    assert run.answers == []
    run.answer(1, failure="no room")
    run.desk.look()
    ((answers, why),) = run.answers
    assert why is None
    assert [(a.rank, a.failure) for a in answers] == [(0, None), (1, "no room"), (2, None)]
    assert run.asked() is None
    assert run.trace(1) == [1]
    run.answer(1)
    run.desk.look()
    assert len(run.answers) == 2


@pytest.mark.parametrize(
    ("ranks", "steps", "named"),
    [
        ((3,), 5, "ranks 0 to 2"),
        ((0, -1), 5, "ranks 0 to 2"),
        ((), 0, "--steps 0"),
        ((), 1001, "1"),
    ],
)
def test_what_cannot_be_traced_is_refused(ranks: tuple[int, ...], steps: int, named: str) -> None:
    run = Run()
    with pytest.raises(ValueError, match=named):
        run.trace(*ranks, steps=steps)
    assert run.asked() is None


def test_others_wait_until_steps_are_traced_and_a_stop_does_not() -> None:
    run = Run()
    run.trace()
    with pytest.raises(RuntimeError, match="being traced"):
        run.trace()
    run.desk.stop()
    assert run.answers == [([], "the run was asked to stop")]
    assert run.asked() == STOP
    with pytest.raises(RuntimeError, match="asked to stop"):
        run.trace()


def test_a_stop_outlives_reporters_and_attempts() -> None:
    run = Run()
    run.desk.stop()
    number = run.rank_answers()[0]
    run.start_reporter()
    assert run.asked() is None
    run.desk.look()
    assert run.rank_answers()[0] == number
    run.attempt = 2
    run.desk.look()
    run.desk.stop()
    assert run.rank_answers()[0] == number
    assert not run.desk.stopped
    run.answer(0)
    run.desk.look()
    assert run.desk.stopped


def test_traces_of_workers_that_were_started_again_do_not_come() -> None:
    run = Run()
    run.trace()
    run.answer(0)
    run.attempt = 2
    run.desk.look()
    ((answers, why),) = run.answers
    assert len(answers) == 1
    assert "started again" in why
    assert run.asked() is None


def test_ranks_that_never_answer_hold_nothing_up_forever() -> None:
    run = Run()
    run.trace()
    run.now = 3600.0
    run.desk.look()
    assert "minutes" in run.answers[0][1]
    assert run.trace() == [0, 1, 2]


def test_an_answer_to_an_earlier_request_does_not_count() -> None:
    run = Run()
    run.trace(0)
    old = RankAnswer(run.rank_answers()[0], 0, "host", 7, 12)
    run.desk.close("over")
    run.trace(0)
    run.reporter.answer_request(old).result()
    assert run.rank_answers()[1] == []
