import logging
from pathlib import Path

import pytest

from raymon.reporter import Cursor, Reporter
from raymon.reporter.progress import Progress
from raymon.results import Evaluation, Published
from raymon.sinks import Console
from tests.reporter.windows import auc_metrics, auc_window, clicks


class News:
    """A reporter with one evaluation to publish, which does not answer while it is `silent`."""

    silent = False

    def published(self, since: Cursor | None) -> tuple[list[Published], Cursor]:
        if self.silent:
            raise TimeoutError
        return ([] if since else [Evaluation(10, {"auc": 0.7})]), ("life", 1)


@pytest.fixture
def lines(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("raymon"), "propagate", True)
    caplog.set_level(logging.INFO, logger="raymon")
    return lambda: [record.getMessage() for record in caplog.records]


def test_news_at_the_very_end_are_shown(lines) -> None:
    with Progress(News(), Console(100, 1.0)) as progress:
        pass
    assert progress.evaluations == [Evaluation(10, {"auc": 0.7})]
    assert lines() == ["Evaluation at step 10: auc:0.70000"]


def test_a_reporter_that_does_not_answer_is_told_once_and_so_is_its_return(lines) -> None:
    reporter = News()
    progress = Progress(reporter, Console(100, 1.0))
    reporter.silent = True
    progress._poll()  # It is starting.
    reporter.silent = False
    progress._poll()
    reporter.silent = True
    progress._poll()
    progress._poll()
    reporter.silent = False
    progress._poll()
    progress._poll()
    assert lines() == [
        "Evaluation at step 10: auc:0.70000",
        "The reporter does not answer (TimeoutError); training goes on",
        "The reporter answers again",
    ]


class Link:
    """A channel to a reporter that may be another one at the next call."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter

    def published(self, since: Cursor | None) -> tuple[list[Published], Cursor]:
        return self.reporter.published(since)


def test_what_a_reporter_that_started_anew_publishes_again_is_shown_once(
    lines, tmp_path: Path
) -> None:
    def start() -> Reporter:
        return Reporter(tmp_path, [], 10, late_after_s=1e9)

    link = Link(start())
    progress = Progress(link, Console(100, 0.0))
    link.reporter.begin_attempt("a", 1, 0, auc_metrics())
    link.reporter.report(auc_window(0, 0, (0, 10), *clicks(20, 0)))
    link.reporter.publish_evaluation(Evaluation(10, {"auc": 0.5}))
    progress._poll()
    # One more, which nobody has seen when the reporter dies.
    link.reporter.report(auc_window(0, 1, (10, 20), *clicks(20, 1)))
    link.reporter = start()
    link.reporter.go_on("a", auc_metrics())
    progress._poll()
    training = [line.split(" [")[0] for line in lines() if "Training" in line]
    assert training == ["Training Epoch 0: 10it", "Training Epoch 0: 20it"]
    assert sum("Evaluation at step 10" in line for line in lines()) == 1
    assert progress.last is not None
    assert progress.last.end_step == 20
    # After a roll-back steps are shown again.
    link.reporter.begin_attempt("b", 1, 10, auc_metrics())
    link.reporter.report(auc_window(0, 0, (10, 20), *clicks(20, 2), attempt=2))
    progress._poll()
    assert sum("Training Epoch 0: 20it" in line for line in lines()) == 2


def test_an_attempt_that_nobody_saw_before_its_reporter_died_is_known(tmp_path: Path) -> None:
    def start() -> Reporter:
        return Reporter(tmp_path, [], 10, late_after_s=1e9)

    link = Link(start())
    progress = Progress(link, Console(100, 0.0))
    link.reporter.begin_attempt("a", 1, 0, auc_metrics())
    for _ in range(2):
        link.reporter = start()
        link.reporter.go_on("a", auc_metrics())
        link.reporter.report(auc_window(0, 0, (0, 10), *clicks(20, 0)))
        progress._poll()
    (attempt,) = progress.attempts.listed
    assert (attempt.attempt, attempt.world_size, attempt.step) == (1, 1, 0)
    assert progress.attempts.reached == 10
