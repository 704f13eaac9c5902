"""What is published while no rank makes a step, and ranks that are missing in what is shown."""

from __future__ import annotations

from pathlib import Path

from raymon.diagnosis import checks_of
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.protos.report_pb2 import Heartbeat
from raymon.reporter.reporter import Reporter
from raymon.results import BACKWARD, CHECKPOINT, DATA, FORWARD, START, Failure, Snapshot, Stall
from raymon.wire import encode_heartbeats
from tests.reporter.test_reporter import Clock, make_reporter
from tests.reporter.windows import auc_metrics, auc_window, clicks


def _beat(reporter: Reporter, rank: int, step: int, phase: str, attempt: int = 1, **more) -> None:
    beat = Heartbeat(
        attempt=attempt, rank=rank, world_size=2, host="h", pid=10 + rank, step=step, phase=phase
    )
    for name, value in more.items():
        setattr(beat, name, value)
    reporter.beat(encode_heartbeats([beat]))


def _report(reporter: Reporter, rank: int, index: int) -> None:
    steps = (10 * index, 10 * index + 10)
    reporter.report(auc_window(rank, index, steps, *clicks(10, rank)))


def _stalls(reporter: Reporter) -> list[tuple[float, str]]:
    news, _ = reporter.published()
    return [(each.seconds, each.phase) for each in news if isinstance(each, Stall)]


def test_a_stall_is_told_to_whom_asks_until_a_rank_makes_a_step(tmp_path: Path) -> None:
    clock = Clock()
    reporter = make_reporter(tmp_path, clock=clock)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    for rank in (0, 1):
        _report(reporter, rank, 0)
        _beat(reporter, rank, 12, BACKWARD if rank == 0 else FORWARD)
    clock.now += 4
    assert _stalls(reporter) == []
    clock.now += 30
    assert _stalls(reporter) == [(34, FORWARD)]
    assert reporter.health().stalled_s == 34
    clock.now += 1
    assert _stalls(reporter) == [(35, FORWARD)]
    _beat(reporter, 1, 13, DATA)
    assert _stalls(reporter) == []
    assert reporter.health().stalled_s == 0


def test_ranks_that_send_no_heartbeats_or_make_no_more_steps_do_not_stall(tmp_path: Path) -> None:
    clock = Clock()
    reporter = make_reporter(tmp_path, clock=clock)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    _report(reporter, 0, 0)
    _beat(reporter, 0, 12, FORWARD)
    clock.now += 300
    assert _stalls(reporter) == []
    for rank in (0, 1):
        _beat(reporter, rank, 12, CHECKPOINT, last=True)
    clock.now += 300
    assert _stalls(reporter) == []


def test_workers_that_are_started_again_go_on_with_the_stall(tmp_path: Path) -> None:
    clock = Clock()
    reporter = make_reporter(tmp_path, clock=clock)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    for rank in (0, 1):
        _report(reporter, rank, 0)
        _beat(reporter, rank, 10, FORWARD)
    clock.now += 30
    _beat(reporter, 0, 0, START, attempt=0, phase_s=1)
    assert _stalls(reporter) == [(30, START)]
    reporter.begin_attempt("u", 2, 0, auc_metrics())
    for rank in (0, 1):
        _beat(reporter, rank, 0, START, attempt=2, phase_s=9)
    clock.now += 4
    assert _stalls(reporter) == [(34, START)]
    _beat(reporter, 0, 1, DATA, attempt=2)
    assert _stalls(reporter) == []


def test_a_late_snapshot_names_who_is_missing_and_is_shown_once_in_a_stall(tmp_path: Path) -> None:
    clock = Clock()
    reporter = make_reporter(tmp_path, clock=clock)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    for rank in (0, 1):
        _report(reporter, rank, 0)
        _beat(reporter, rank, 19, FORWARD)
    _report(reporter, 0, 1)
    shown = []
    for _ in range(10):
        clock.now += 6
        news, _ = reporter.published()
        shown = [each for each in news if isinstance(each, Snapshot) and each.coverage.missing]
    (late,) = shown
    assert late.coverage.missing == (1,)
    assert (late.end_step, late.stalled_s) == (20, 6)


def test_the_end_of_a_process_that_hung_is_told_with_that(tmp_path: Path) -> None:
    clock = Clock()
    checks = checks_of(MonitorConfig(hang_after_s=20))
    reporter = Reporter(tmp_path, [], 10, 5, clock, checks)
    reporter.begin_attempt("t", 2, 0, {})
    for rank in (0, 1):
        _beat(reporter, rank, 12, FORWARD, deadline_s=20)
    for _ in range(13):
        clock.now += 2
        _beat(reporter, 0, 12, BACKWARD, deadline_s=20, phase_s=25)
        reporter.published()
    (found,) = reporter.findings()
    assert (
        found.text
        == "rank 1 (h, pid 11) has been silent for 26 s in forward; rank 0 waits at step 12"
    )
    failed = reporter.publish_failure(Failure("rank 1 was killed", "", (1,)))
    assert failed.text.startswith(f"{found.text}; rank 1 was killed")
    failed = reporter.publish_failure(Failure("rank 0: ValueError: no", ""))
    assert failed.text.startswith("rank 0: ValueError: no")


def test_workers_of_an_attempt_that_has_failed_do_not_hang(tmp_path: Path) -> None:
    clock = Clock()
    checks = checks_of(MonitorConfig(hang_after_s=20))
    reporter = Reporter(tmp_path, [], 10, 5, clock, checks)
    reporter.begin_attempt("t", 2, 0, {})
    for rank in (0, 1):
        _beat(reporter, rank, 12, FORWARD, deadline_s=20)
    reporter.publish_failure(Failure("rank 1 was killed", "", (1,), goes_on=True))
    for _ in range(100):
        clock.now += 2
        reporter.published()
    assert reporter.findings() == []
    # Those that take their place are watched again.
    for rank in (0, 1):
        _beat(reporter, rank, 0, START, attempt=0, phase_s=1, deadline_s=600)
    reporter.begin_attempt("u", 2, 0, {})
    for rank in (0, 1):
        _beat(reporter, rank, 12, FORWARD, attempt=2, deadline_s=20)
    for _ in range(15):
        clock.now += 2
        reporter.published()
    assert [found.kind for found in reporter.findings()] == ["hang"]
