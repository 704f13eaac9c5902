import re
from dataclasses import replace

import pytest

from raymon.cli.summary import print_summary
from raymon.reporter import Summary
from raymon.results import Anatomy, Monitoring, MonitoringFigures, ReporterStatus, RunFigures

WATCHED = MonitoringFigures(
    windows=1204,
    windows_lost=0,
    worker_failures=0,
    worker_reasons={},
    input_counts={},
    save_counts={},
    sent=1300,
    sent_bytes=5_000_000,
    queue_depth_max=8,
    latency_p50_s=0.001,
    latency_p99_s=0.02,
)
RUN = RunFigures(
    monitoring=WATCHED,
    end_step=600,
    checkpoint_step=600,
    samples=6_000,
    train_s=100.0,
    monitor_s=0.4,
    skipped_steps=0,
    fold_failures=0,
    fold_reasons={},
)
STATUS = ReporterStatus(
    run=RUN,
    attempts=1,
    ranks_ended=1,
    duplicates=3,
    refused=0,
    store_failures=0,
    sink_failures=0,
    failure_reasons={},
)


def monitoring_line(capsys: pytest.CaptureFixture[str], status: ReporterStatus = STATUS) -> str:
    summary = Summary("done", "run", steps=600, monitoring=Monitoring.of_status(status))
    print_summary(summary)
    found = re.search(r"monitoring +(.*)", capsys.readouterr().out)
    assert found is not None
    return found[1]


def test_the_summary_says_what_monitoring_took(capsys) -> None:
    assert monitoring_line(capsys) == "0.4 % of training time, 1,204 windows, 0 lost"


def test_the_summary_says_what_was_lost_and_what_failed(capsys) -> None:
    reasons = {"TensorBoard: OSError": 1}
    run = replace(RUN, monitoring=replace(WATCHED, windows_lost=2))
    failed = replace(STATUS, run=run, refused=1, sink_failures=1, failure_reasons=reasons)
    line = monitoring_line(capsys, failed)
    said = "0.4 % of training time, 1,204 windows, 3 lost, 1 failure (TensorBoard: OSError)"
    assert line == said


def test_the_summary_says_which_steps_nobody_reported(capsys) -> None:
    line = monitoring_line(capsys, replace(STATUS, run=replace(RUN, end_step=500)))
    assert line.endswith("; steps 500 to 600 were not reported")


def test_a_run_without_a_reporter_at_its_end_says_so(capsys) -> None:
    print_summary(Summary("done", "run", steps=600))
    assert "the reporter was gone at the end" in capsys.readouterr().out


def printed(capsys: pytest.CaptureFixture[str], **fields: object) -> str:
    print_summary(Summary("done", "run", **fields))
    return capsys.readouterr().out


def test_the_summary_has_bounds_counts_and_reasons(capsys) -> None:
    said = printed(
        capsys,
        eval_metrics={"auc": 0.75, "grouped_auc": 0.7, "pr_auc": float("nan")},
        eval_metric_bounds={"auc": 0.0123},
        eval_metric_details={"grouped_auc": {"groups": 37, "groups_skipped": 1205}},
        no_value={"pr_auc": "there is no positive"},
    )
    assert "auc 0.75000 (±0.01)" in said
    assert "grouped_auc 0.70000 (37 groups, 1,205 groups skipped)" in said
    assert "pr_auc -" in said
    assert "no pr_auc        there is no positive" in said


def test_a_decayed_value_stands_beside_that_of_the_last_window_in_a_short_run(capsys) -> None:
    said = printed(
        capsys,
        train_metrics={"mse": 2.16, "auc": 0.7, "total_loss": 0.64},
        window_metrics={"mse": 0.64, "auc": 0.7},
        first_window_weights={"mse": 0.81, "auc": 0.81},
    )
    assert "mse 2.16000" in said
    alone = "last window alone: mse 0.64000 (81 % of the decayed value is its first window)"
    assert alone in said
    assert "last window alone" not in printed(capsys, train_metrics={"auc": 0.7})
    nan = {"auc": float("nan")}
    assert "last window alone" not in printed(capsys, train_metrics=nan, window_metrics=nan)


def test_the_first_line_says_that_a_run_has_diverged(capsys) -> None:
    print_summary(Summary("diverged", "run", diverged_since=1200))
    first = capsys.readouterr().out.splitlines()[1]
    assert first == "diverged: run, its losses are NaN or infinite from step 1,200 on"


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        (1, "1 step of the optimizer skipped, as not finite"),
        (1200, "1,200 steps of the optimizer skipped, as not finite"),
    ],
)
def test_the_summary_says_how_many_steps_were_skipped(capsys, steps: int, shown: str) -> None:
    print_summary(Summary("done", "run", skipped_steps=steps))
    assert re.search(rf"precision +{shown}$", capsys.readouterr().out, re.M)


def test_the_summary_is_silent_where_no_step_was_skipped(capsys) -> None:
    print_summary(Summary("done", "run"))
    assert "precision" not in capsys.readouterr().out


def test_the_verdict_is_the_last_line(capsys) -> None:
    said = printed(capsys, verdict="input-bound: 63 % of the time goes into waiting for data")
    assert said.splitlines()[-1].split(maxsplit=1)[0] == "verdict"
    assert said.endswith("63 % of the time goes into waiting for data\n")
    assert "verdict" not in printed(capsys)


def test_the_summary_says_where_the_time_went(capsys) -> None:
    phases = Anatomy(
        shares={"forward": 0.6, "garbage_collection": 0.396, "monitor": 0.004},
        median={"forward": 3.0},
        slowest_rank=3,
        slowest={"forward": 1.0, "data": 3.0},
    )
    print_summary(Summary("done", "run", steps=600, phases=phases))
    shown = capsys.readouterr().out
    assert "time spent in    forward 60 %, garbage collection 40 %\n" in shown
    assert "slowest rank, 3: data 75 %, forward 25 %\n" in shown


def test_of_one_rank_the_slowest_is_not_told_apart(capsys) -> None:
    seconds = {"forward": 3.0}
    print_summary(Summary("done", "run", phases=Anatomy({"forward": 1.0}, seconds, 0, seconds)))
    assert "slowest" not in capsys.readouterr().out
