from pathlib import Path

import pytest

from raymon.reporter.reporter import Reporter
from raymon.sinks import RunGauges
from tests.reporter.test_reporter import Clock, make_reporter
from tests.reporter.windows import auc_metrics, auc_window, clicks


@pytest.fixture
def clock() -> Clock:
    return Clock()


def report(reporter: Reporter, rank: int, index: int, **changes) -> None:
    steps = (10 * index, 10 * index + 10)
    reporter.report(auc_window(rank, index, steps, *clicks(10, rank), **changes))


def test_coverage_is_that_of_what_was_shown_last(tmp_path: Path, clock: Clock) -> None:
    reporter = make_reporter(tmp_path, clock=clock)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    assert reporter.health().coverage is None
    for rank in (0, 1):
        report(reporter, rank, 0)
    assert reporter.health().coverage.ranks == 2
    report(reporter, 0, 1)
    clock.now += 6.0  # more than late_after_s: what there is is shown without rank 1
    reporter.published()
    assert reporter.health().coverage.ranks == 1
    report(reporter, 1, 1)
    assert reporter.health().coverage.ranks == 2
    # The end of a run without steps of its own is no point on the curves.
    for rank in (0, 1):
        reporter.report(auc_window(rank, 2, (20, 20), *clicks(0, rank), last=True))
    assert reporter.health().coverage.ranks == 2


def test_a_checkpoint_is_known_by_the_step_of_its_window(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    report(reporter, 0, 0)
    assert reporter.health().checkpoint_step is None
    report(reporter, 0, 1, checkpoint=True)
    report(reporter, 0, 2)
    assert reporter.health().checkpoint_step == 20
    # A reporter that starts anew knows it too.
    anew = make_reporter(tmp_path)
    assert anew.go_on("t", auc_metrics())
    assert anew.health().checkpoint_step == 20


def test_a_rank_that_ended_is_known_as_such(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    report(reporter, 1, 0, last=True)
    assert [rank.ended for rank in reporter.health().ranks] == [False, True]


def test_a_new_attempt_shows_the_step_that_it_goes_on_from(tmp_path: Path) -> None:
    gauges = RunGauges("run")
    reporter = make_reporter(tmp_path)
    reporter.add_sink(gauges)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    for index in range(4):
        report(reporter, 0, index, checkpoint=index == 1)
    assert gauges.series()["raymon_step", ()] == 40
    reporter.begin_attempt("u", 1, 20, auc_metrics())
    assert gauges.series()["raymon_step", ()] == 20
    assert reporter.health().attempt == 2
