"""Ranks may make unequal numbers of steps: nobody waits for one that has ended."""

from pathlib import Path

import pytest
import torch
from sklearn.metrics import roc_auc_score

from raymon.protos.report_pb2 import WindowReport
from raymon.reporter import InProcessReporter, Reporter
from raymon.reporter.node_reporter import NodeReporter
from raymon.reporter.windows.collation import Attempt
from raymon.results import Snapshot
from raymon.sinks import WindowLines
from raymon.wire import Layout
from tests.reporter.windows import auc_metrics, auc_window, clicks


def make_reporter(directory: Path | None = None) -> Reporter:
    sinks = [WindowLines(directory)] if directory else []
    return Reporter(directory, sinks, log_step_count_steps=10, late_after_s=1e9)


def snapshots(reporter: Reporter) -> list[Snapshot]:
    return [p for p in reporter.published()[0] if isinstance(p, Snapshot)]


def test_no_window_waits_for_a_rank_that_has_ended() -> None:
    reporter = make_reporter()
    reporter.begin_attempt("a", 2, 0, auc_metrics())
    reporter.report(auc_window(1, 0, (0, 7), *clicks(7, 1), last=True))
    reporter.report(auc_window(0, 0, (0, 10), *clicks(10, 2)))
    assert reporter.acknowledged().durable == {1: 1}
    reporter.report(auc_window(0, 1, (10, 20), *clicks(10, 3)))
    reporter.report(auc_window(0, 2, (20, 25), *clicks(5, 4), last=True))
    assert reporter.acknowledged().durable == {1: 3}
    reporter.close()
    shown = [(s.end_step, s.samples, s.coverage.ranks) for s in snapshots(reporter)]
    assert shown == [(10, 17, 2), (20, 10, 1), (25, 5, 1)]
    status = reporter.status()
    assert status.ranks_ended == 2
    assert (status.run.monitoring.windows, status.run.monitoring.windows_lost) == (4, 0)


@pytest.mark.parametrize("shorter_first", [True, False])
def test_a_rank_that_ends_within_a_window_is_in_it(shorter_first: bool) -> None:
    reporter = make_reporter()
    reporter.begin_attempt("a", 2, 0, auc_metrics())
    parts = [clicks(70, 1), clicks(100, 2)]
    windows = [
        auc_window(1, 0, (0, 7), *parts[0], last=True),
        auc_window(0, 0, (0, 10), *parts[1]),
    ]
    for window in windows if shorter_first else reversed(windows):
        assert reporter.report(window).refused is None
    scores, labels = (torch.cat(column) for column in zip(*parts, strict=True))
    assert snapshots(reporter)[0].metrics["auc"] == pytest.approx(
        roc_auc_score(labels, scores), abs=1e-4
    )


def test_a_rank_that_goes_on_has_the_windows_of_the_others() -> None:
    reporter = make_reporter()
    reporter.begin_attempt("a", 2, 0, auc_metrics())
    reporter.report(auc_window(0, 0, (0, 10), *clicks(10, 1)))
    refused = reporter.report(auc_window(1, 0, (0, 7), *clicks(7, 2))).refused
    assert refused is not None
    assert "which is [0, 10) on others" in refused


def test_nobody_ends_another_rank() -> None:
    reporter = make_reporter()
    reporter.begin_attempt("a", 2, 0, auc_metrics())
    report = WindowReport.FromString(auc_window(0, 0, (0, 10), *clicks(10, 1)))
    report.ended.append(1)
    assert reporter.report(report.SerializeToString()).refused is not None


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_reporter_that_starts_anew_knows_who_has_ended(tmp_path: Path, checkpoint: bool) -> None:
    first = make_reporter(tmp_path)
    first.begin_attempt("a", 2, 0, auc_metrics())
    first.report(auc_window(1, 0, (0, 7), *clicks(7, 1), last=True))
    first.report(auc_window(0, 0, (0, 10), *clicks(10, 2)))
    first.report(auc_window(0, 1, (10, 20), *clicks(10, 3), checkpoint=checkpoint))

    second = make_reporter(tmp_path)
    assert second.go_on("a", auc_metrics())
    second.report(auc_window(0, 2, (20, 30), *clicks(10, 4), last=True))
    assert second.acknowledged().durable == {1: 3}
    status = second.status()
    assert status.ranks_ended == 2
    assert (status.run.monitoring.windows, status.run.monitoring.windows_lost) == (4, 0)


def test_the_reporter_of_a_node_hands_on_who_has_ended() -> None:
    root = make_reporter()
    metrics = auc_metrics()
    number = root.begin_attempt("a", 2, 0, metrics)
    attempt = Attempt(number, "", 2, 0, Layout.of_metrics(metrics))
    node = NodeReporter(attempt, 2, InProcessReporter(root), late_after_s=1e9)
    node.report(auc_window(1, 0, (0, 7), *clicks(7, 1), last=True))
    node.report(auc_window(0, 0, (0, 10), *clicks(10, 2)))
    node.report(auc_window(0, 1, (10, 20), *clicks(10, 3), last=True))
    assert node.close(10.0)
    assert [s.samples for s in snapshots(root)] == [17, 10]
    assert root.status().ranks_ended == 2
