"""Steps of the optimizer that FP16 skips, from the windows of ranks to what is published."""

from pathlib import Path

from raymon.protos.report_pb2 import WindowReport
from raymon.reporter import InProcessReporter, Reporter
from raymon.reporter.node_reporter import NodeReporter
from raymon.reporter.windows.collation import Attempt
from raymon.wire import Layout
from tests.reporter.test_reporter import Clock, make_reporter, snapshots
from tests.reporter.windows import auc_metrics, auc_window, clicks


def window(rank: int, index: int, skipped: int, scale: float, **options) -> bytes:
    steps = (10 * index, 10 * index + 10)
    return auc_window(
        rank, index, steps, *clicks(20, rank), skipped_steps=skipped, loss_scale=scale, **options
    )


def test_all_ranks_skip_the_same_steps_and_each_counts_once(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    for index, (skipped, scale) in enumerate([(3, 8192.0), (0, 16384.0)]):
        for rank in (1, 0):
            reporter.report(window(rank, index, skipped, scale))
    found = [(s.skipped_steps, s.loss_scale) for s in snapshots(reporter)]
    assert found == [(3, 8192.0), (0, 16384.0)]
    assert reporter.status().run.skipped_steps == 3


def test_a_node_reports_them_as_its_ranks_do(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    attempt = Attempt(1, "t", 2, 0, Layout.of_metrics(auc_metrics()))
    node = NodeReporter(attempt, 2, InProcessReporter(reporter), 10.0)
    for rank in (1, 0):
        node.report(window(rank, 0, 4, 1024.0))
    assert node.close(10)
    (found,) = snapshots(reporter)
    assert (found.skipped_steps, found.loss_scale) == (4, 1024.0)


def test_the_steps_between_two_log_lines_are_added_up(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path, log_steps=30)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    for index, skipped in enumerate((2, 0, 5)):
        reporter.report(window(0, index, skipped, 2.0**index))
    (found,) = snapshots(reporter)
    assert (found.skipped_steps, found.loss_scale) == (7, 4.0)


def test_other_precisions_have_no_loss_scale(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    reporter.report(auc_window(0, 0, (0, 10), *clicks(20, 0)))
    (found,) = snapshots(reporter)
    assert (found.skipped_steps, found.loss_scale) == (0, None)
    assert WindowReport.FromString(auc_window(0, 0, (0, 10), *clicks(20, 0))).loss_scale == 0


def test_a_restarted_reporter_still_has_them_and_a_roll_back_takes_them_back(
    tmp_path: Path,
) -> None:
    reporter = make_reporter(tmp_path, log_steps=100)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    reporter.report(window(0, 0, 2, 8.0, checkpoint=True))
    reporter.report(window(0, 1, 5, 4.0))
    again = Reporter(tmp_path, (), 100, late_after_s=5.0, clock=Clock())
    assert again.begin_attempt("u", 1, 10, auc_metrics()) == 2
    assert again.status().run.skipped_steps == 2
    again.report(window(0, 0, 1, 4.0, attempt=2))
    assert again.status().run.skipped_steps == 3
    again.close()
    (found,) = snapshots(again)
    assert found.skipped_steps == 3
