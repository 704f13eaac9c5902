"""What is wrong is told once, whatever dies meanwhile."""

from __future__ import annotations

import math
from pathlib import Path

from raymon.diagnosis import checks_of
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.reporter import Progress, Reporter
from raymon.results import Alert, Published
from raymon.sinks import AlertLines, BackgroundSink, Console, read_alerts
from tests.reporter.test_reporter import Clock
from tests.reporter.windows import auc_metrics, auc_window, clicks
from tests.sinks.sinks import Recorder


def make_reporter(directory: Path, clock: Clock | None = None) -> Reporter:
    checks = checks_of(MonitorConfig())
    sinks = [AlertLines(directory)]
    return Reporter(directory, sinks, 10, 5.0, clock=clock or Clock(), checks=checks)


def report(reporter: Reporter, indices: range, bad: set[int], attempt: int = 1, **options) -> None:
    """Reports windows of ten steps; the loss of those in `bad` is NaN."""
    for index in indices:
        loss = math.nan if index in bad else 0.5
        steps = (10 * index, 10 * index + 10)
        reporter.report(
            auc_window(0, index, steps, *clicks(10, 0), loss=loss, attempt=attempt, **options)
        )


def told(directory: Path) -> list[tuple[int, int, bool]]:
    alerts = [alert for alert in read_alerts(directory) if alert.finding.kind == "nonfinite"]
    return [(alert.attempt, alert.step, alert.is_over) for alert in alerts]


def test_an_alert_begins_and_ends_with_its_steps(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    report(reporter, range(2), {1})
    (finding,) = reporter.health().alerts.on
    assert (finding.kind, finding.subject, finding.first_step) == ("nonfinite", "bce", 10)
    report(reporter, range(2, 5), {2})
    assert told(tmp_path) == [(1, 20, False), (1, 40, True)]
    assert reporter.status().alerts.counts == {"nonfinite": 1}
    assert reporter.health().alerts.on == []


def test_a_reporter_that_is_killed_tells_no_alert_twice(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    report(reporter, range(3), {1, 2})
    again = make_reporter(tmp_path)
    assert again.go_on("t", auc_metrics())
    again.published()
    assert [finding.subject for finding in again.health().alerts.on] == ["bce"]
    report(again, range(3, 5), {3})
    assert told(tmp_path) == [(1, 20, False), (1, 50, True)]
    assert again.status().alerts.counts == {"nonfinite": 1}


def test_steps_that_are_made_again_are_not_told_again(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    report(reporter, range(4), {1})
    reporter.begin_attempt("u", 1, 0, auc_metrics())
    report(reporter, range(4), {1}, attempt=2)
    resumed = make_reporter(tmp_path)
    resumed.begin_attempt("v", 1, 0, auc_metrics())
    report(resumed, range(6), {1, 5}, attempt=3)
    assert told(tmp_path) == [(1, 20, False), (1, 30, True), (3, 60, False)]
    assert resumed.status().alerts.counts == {"nonfinite": 2}


def test_lines_that_are_no_alerts_are_left_out(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    report(reporter, range(3), {1, 2})
    path = tmp_path / "monitor" / "alerts.jsonl"
    whole = path.read_text()
    odd = whole.replace('"bce"', '["bce"]')
    path.write_text(f'5\n[]\n{{"kind": 1}}\n{odd}{whole}{whole[:-9]}')
    again = make_reporter(tmp_path)
    assert again.go_on("t", auc_metrics())
    assert again.status().alerts.counts == {"nonfinite": 1}


class Driver:
    """What a driver asks for, of a reporter that may be another one at the next call."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter

    def published(self, since):
        return self.reporter.published(since)


class Alerts(Recorder):
    """A sink that records alerts."""

    def write_alert(self, alert: Alert) -> None:
        self._call("alert", alert.step, alert.is_over)


def test_the_driver_hears_of_each_alert_once_even_if_the_reporter_died_before_it_asked(
    tmp_path: Path,
) -> None:
    reporter = make_reporter(tmp_path)
    driver, hook = Driver(reporter), Alerts()
    sink = BackgroundSink(hook)
    progress = Progress(driver, Console(100, 1.0), [sink])
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    report(reporter, range(2), {0})
    progress._poll()
    report(reporter, range(2, 3), {2})  # told, and not asked for
    driver.reporter = make_reporter(tmp_path)
    driver.reporter.go_on("t", auc_metrics())
    progress._poll()
    report(driver.reporter, range(3, 4), set())
    progress._poll()
    sink.close()
    assert hook.calls == [
        ("alert", 10, False), ("alert", 20, True),
        ("alert", 30, False), ("alert", 40, True), ("close",),
    ]  # fmt: skip


def test_alerts_of_the_reporter_are_published() -> None:
    reporter = Reporter(None, [], 10, 5.0, clock=Clock(), checks=checks_of(MonitorConfig()))
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    report(reporter, range(1), {0})
    news: list[Published] = reporter.published()[0]
    assert [alert.is_over for alert in news if isinstance(alert, Alert)] == [False]
