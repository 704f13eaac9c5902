import re

import pytest

from raymon.cli.summary import print_summary
from raymon.training.monitoring import Monitoring
from raymon.training.summary import Summary

WATCHED = {
    "train_s": 100.0,
    "monitor_s": 0.4,
    "windows": 1204,
    "windows_lost": 0,
    "rejected": 0,
    "end_step": 600,
    "sink_failures": 0,
    "fold_failures": 0,
    "store_failures": 0,
    "worker_failures": 0,
    "failure_reasons": {},
    "sent": 1300,
    "sent_bytes": 5_000_000,
    "duplicates": 3,
    "queue_depth_max": 8,
    "latency_p50_s": 0.001,
    "latency_p99_s": 0.02,
}


def monitoring_line(capsys: pytest.CaptureFixture[str], **changes: object) -> str:
    status = {**WATCHED, **changes}
    summary = Summary("done", "run", steps=600, monitoring=Monitoring.of_status(status))
    print_summary(summary)
    found = re.search(r"monitoring +(.*)", capsys.readouterr().out)
    assert found is not None
    return found[1]


def test_the_summary_says_what_monitoring_took(capsys) -> None:
    assert monitoring_line(capsys) == "0.4 % of training time, 1,204 windows, 0 lost"


def test_the_summary_says_what_was_lost_and_what_failed(capsys) -> None:
    reasons = {"TensorBoard: OSError": 1}
    line = monitoring_line(
        capsys, windows_lost=2, rejected=1, sink_failures=1, failure_reasons=reasons
    )
    said = "0.4 % of training time, 1,204 windows, 3 lost, 1 failure (TensorBoard: OSError)"
    assert line == said


def test_the_summary_says_which_steps_nobody_reported(capsys) -> None:
    line = monitoring_line(capsys, end_step=500)
    assert line.endswith("; steps 500 to 600 were not reported")


def test_a_run_without_a_reporter_at_its_end_says_so(capsys) -> None:
    print_summary(Summary("done", "run", steps=600))
    assert "the reporter was gone at the end" in capsys.readouterr().out
