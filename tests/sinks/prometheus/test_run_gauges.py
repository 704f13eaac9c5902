import math
from collections.abc import Mapping

import pytest

from raymon.results import (
    AlertFigures,
    Anatomy,
    Coverage,
    DeviceNumbers,
    Evaluation,
    Finding,
    Health,
    RankState,
    TableHealth,
)
from raymon.sinks import RunGauges, run_label
from raymon.sinks.prometheus.gauges import GAUGES, PREFIX
from raymon.sinks.prometheus.lag import SHOWN_RANKS, SILENT_AFTER_S
from tests.sinks.snapshots import snapshot


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def health(ranks: list[RankState] | None = None, **changes) -> Health:
    values = {
        "attempt": 2,
        "ranks": ranks or [RankState(0, 0.5, 20, 2, 0), RankState(1, 3.0, 10, 1, 0)],
        "coverage": Coverage(1, 2, 3.0),
        "checkpoint_step": 10,
        "windows_lost": 3,
        "sink_failures": 4,
        "saves_failed": 5,
    }
    return Health(**{**values, **changes})


def shown(gauges: RunGauges) -> dict[str, float]:
    """Returns the values as on the endpoint, by `name` or `name{label}`."""
    return {
        name + (f"{{{','.join(value for _, value in labels)}}}" if labels else ""): value
        for (name, labels), value in gauges.series().items()
    }


def without_run(found: Mapping[str, float]) -> dict[str, float]:
    return {n: v for n, v in found.items() if n != "raymon_up" and "run_info" not in n}


def test_a_snapshot_is_shown_by_the_names_that_it_has_everywhere() -> None:
    gauges = RunGauges("runs/click")
    gauges.write(snapshot(20, non_finite={"binary_cross_entropy": 1}, epoch=3, host_bytes=7))
    assert without_run(shown(gauges)) == {
        "raymon_step": 20,
        "raymon_epoch": 3,
        "raymon_loss{binary_cross_entropy}": 0.52341,
        "raymon_loss{total_loss}": 0.52341,
        "raymon_non_finite_losses{binary_cross_entropy}": 1,
        "raymon_metric{auc}": 0.71234,
        "raymon_learning_rate{g0}": 0.001,
        "raymon_samples_per_second": 4000.0,  # 2,000 rows in half a second
        "raymon_steps_per_second": 20.0,
        "raymon_samples_total": 4000,
        "raymon_host_bytes": 7,
    }


def test_where_the_time_went_is_shown_of_all_ranks_the_median_and_the_slowest() -> None:
    gauges = RunGauges("runs/click")
    anatomy = Anatomy(
        shares={"forward": 0.75, "data": 0.25},
        median={"forward": 3.0, "data": 1.0},
        slowest_rank=3,
        slowest={"forward": 1.0, "data": 3.0},
    )
    gauges.write(snapshot(20, anatomy=anatomy))
    found = {name: value for name, value in shown(gauges).items() if "phase" in name}
    assert found == {
        "raymon_phase_share{forward}": 0.75,
        "raymon_phase_share{data}": 0.25,
        "raymon_phase_share_median{forward}": 0.75,
        "raymon_phase_share_median{data}": 0.25,
        "raymon_phase_share_slowest{forward}": 0.25,
        "raymon_phase_share_slowest{data}": 0.75,
    }


def test_while_no_step_is_made_the_rates_are_0() -> None:
    gauges = RunGauges("/data/click")
    gauges.write(snapshot(20))
    gauges.take_health(health(stalled_s=34.0))
    found = shown(gauges)
    assert found["raymon_samples_per_second"] == found["raymon_steps_per_second"] == 0
    assert found["raymon_step"] == 20
    gauges.take_health(health())
    assert shown(gauges)["raymon_samples_per_second"] == 4000


def test_devices_are_shown_where_they_are_gpus() -> None:
    gauges = RunGauges("runs/click")
    gauges.write(snapshot(20, device=DeviceNumbers(8, 6, 9, 150, 2)))
    found = {name: value for name, value in shown(gauges).items() if "device" in name}
    assert found == {
        "raymon_device_bytes": 8,
        "raymon_device_allocated_bytes": 6,
        "raymon_device_reserved_bytes": 9,
        "raymon_device_utilization": 0.75,
    }
    gauges.write(snapshot(30, device=DeviceNumbers(8, 6, 9)))
    assert "raymon_device_utilization" not in shown(gauges)


def test_steps_that_fp16_skips_are_shown_in_fp16_alone() -> None:
    gauges = RunGauges("runs/click")
    gauges.write(snapshot(20, skipped_steps=2, loss_scale=512.0))
    found = shown(gauges)
    assert (found["raymon_skipped_steps"], found["raymon_loss_scale"]) == (2, 512)
    gauges.write(snapshot(30))
    assert not {"raymon_skipped_steps", "raymon_loss_scale"} & set(shown(gauges))


def test_health_is_shown_with_what_each_rank_lacks() -> None:
    clock = Clock()
    gauges = RunGauges("runs/click", clock=clock)
    gauges.take_health(health())
    clock.now += 2.0  # nobody was heard since
    assert without_run(shown(gauges)) == {
        "raymon_attempt": 2,
        "raymon_world_size": 2,
        "raymon_ranks_ended": 0,
        "raymon_windows_lost_total": 3,
        "raymon_sink_failures_total": 4,
        "raymon_saves_failed_total": 5,
        "raymon_coverage_ranks": 1,
        "raymon_checkpoint_step": 10,
        "raymon_lag_seconds_max": 5.0,
        "raymon_lag_steps_max": 10,
        "raymon_lag_seconds{0}": 2.5,
        "raymon_lag_steps{0}": 0,
        "raymon_lag_seconds{1}": 5.0,
        "raymon_lag_steps{1}": 10,
    }


def test_before_workers_begin_there_is_no_attempt_and_no_rank() -> None:
    gauges = RunGauges("runs/click")
    gauges.take_health(Health(0, [], None, None, 0, 0, 0))
    assert without_run(shown(gauges)) == {
        "raymon_windows_lost_total": 0,
        "raymon_sink_failures_total": 0,
        "raymon_saves_failed_total": 0,
    }


def test_a_rank_that_has_no_more_rows_lags_behind_nobody() -> None:
    gauges = RunGauges("runs/click")
    gauges.take_health(
        health([RankState(0, 1.0, 20, 2, 0), RankState(1, 900.0, 5, 1, 0, ended=True)])
    )
    found = shown(gauges)
    assert "raymon_lag_seconds{1}" not in found
    assert found["raymon_lag_steps_max"] == 0
    assert (found["raymon_world_size"], found["raymon_ranks_ended"]) == (2, 1)


def test_of_many_ranks_those_that_are_silent_longest_are_shown() -> None:
    many = 10 * SHOWN_RANKS
    silent = 2 * SHOWN_RANKS
    ranks = [RankState(r, SILENT_AFTER_S + r if r < silent else 0.1, 10, 1, 0) for r in range(many)]
    gauges = RunGauges("runs/click", clock=Clock())
    gauges.take_health(health(ranks))
    found = gauges.series()
    seen = {int(dict(labels)["rank"]) for name, labels in found if name == "raymon_lag_seconds"}
    assert seen == set(range(silent - SHOWN_RANKS, silent))
    assert found["raymon_lag_seconds_max", ()] == SILENT_AFTER_S + silent - 1
    assert found["raymon_world_size", ()] == many


def test_ranks_of_a_large_run_that_are_heard_have_no_series_of_their_own() -> None:
    ranks = [RankState(r, r / 1000, 10, 1, 0) for r in range(SHOWN_RANKS + 1)]
    gauges = RunGauges("runs/click", clock=Clock())
    gauges.take_health(health(ranks))
    assert not [name for name, _ in gauges.series() if name == "raymon_lag_seconds"]
    assert gauges.series()["raymon_lag_seconds_max", ()] == SHOWN_RANKS / 1000


def test_the_newest_evaluation_is_shown_whatever_the_order() -> None:
    gauges = RunGauges("runs/click")
    gauges.write_evaluation(Evaluation(20, {"auc": 0.8}))
    gauges.write_evaluation(Evaluation(10, {"auc": 0.7}))
    found = shown(gauges)
    assert (found["raymon_eval_step"], found["raymon_eval_metric{auc}"]) == (20, 0.8)


def test_after_a_roll_back_the_step_is_lower_and_nothing_later_is_shown() -> None:
    gauges = RunGauges("runs/click")
    gauges.write(snapshot(40))
    gauges.write_evaluation(Evaluation(10, {"auc": 0.7}))
    gauges.write_evaluation(Evaluation(40, {"auc": 0.8}))
    gauges.roll_back(10, 10)
    assert without_run(shown(gauges)) == {"raymon_step": 10}
    gauges.write_evaluation(Evaluation(10, {"auc": 0.7}))
    gauges.write(snapshot(20))
    assert shown(gauges)["raymon_step"] == 20
    assert shown(gauges)["raymon_eval_metric{auc}"] == 0.7


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_has_no_series(value: float) -> None:
    gauges = RunGauges("runs/click")
    gauges.write(snapshot(20, metrics={"auc": value, "accuracy": 0.9}))
    found = shown(gauges)
    assert "raymon_metric{auc}" not in found
    assert found["raymon_metric{accuracy}"] == 0.9


def test_a_run_that_has_ended_shows_that_and_nothing_else() -> None:
    gauges = RunGauges("runs/click")
    gauges.write(snapshot(20))
    assert shown(gauges)["raymon_up"] == 1
    gauges.close()
    assert shown(gauges) == {"raymon_up": 0}


def test_a_run_has_a_short_name_that_tells_it_from_another_of_that_name() -> None:
    ours, theirs = run_label("s3://ours/runs/click"), run_label("s3://theirs/runs/click/")
    assert ours != theirs
    for label in (ours, theirs):
        name, digits = label.rsplit("-", 1)
        assert name == "click"
        assert len(digits) == 6
    assert run_label("s3://ours/runs/click") == ours


def test_no_label_has_the_credentials_of_a_uri() -> None:
    run = "s3://key:secret@bucket/runs/click?endpoint_override=http://host:9000"
    info = next(labels for name, labels in RunGauges(run).series() if name == "raymon_run_info")
    assert dict(info)["model_dir"] == "s3://bucket/runs/click"
    assert run_label(run) == run_label("s3://bucket/runs/click")


def test_every_name_has_its_prefix_and_no_label_is_without_bound() -> None:
    assert all(name.startswith(PREFIX) for name in GAUGES)
    labels = {label for gauge in GAUGES.values() for label in gauge.labels}
    assert labels == {
        "loss",
        "metric",
        "group",
        "rank",
        "table",
        "model_dir",
        "version",
        "kind",
        "phase",
        "name",
    }


def test_every_figure_of_a_table_has_a_gauge_by_its_name() -> None:
    growth = {"fallback_lookups": 3, "admitted": 2, "evicted": 1, "occupancy": 0.5}
    table = TableHealth(100, 50, 20, 0.4, 0.7, 1.5, 0.25, growth)
    gauges = RunGauges("runs/click")
    gauges.write(snapshot(20, tables={"user": table, "item": TableHealth(7)}))
    found = {n: v for n, v in shown(gauges).items() if n.startswith("raymon_table_")}
    assert found == {f"raymon_table_{name}{{user}}": v for name, v in table.figures().items()}
    # Figures without a value have no series.
    assert {n.partition("{")[0] for n in found} == {n for n in GAUGES if "_table_" in n}


def test_an_alert_is_1_while_it_is_on_and_counted_after_it() -> None:
    gauges = RunGauges("run")
    on = [Finding("straggler", "rank 3 is slow", rank=3), Finding("nonfinite", "loss", subject="a")]
    gauges.take_health(health(alerts=AlertFigures(on, {"straggler": 2, "nonfinite": 1})))
    found = shown(gauges)
    assert found["raymon_alert{straggler,3}"] == found["raymon_alert{nonfinite,}"] == 1
    gauges.take_health(health(alerts=AlertFigures([], {"straggler": 2, "nonfinite": 1})))
    found = shown(gauges)
    assert not any(name.startswith("raymon_alert{") for name in found)
    assert found["raymon_alerts_total{straggler}"] == 2


def test_no_run_has_more_than_a_hundred_series_of_alerts() -> None:
    gauges = RunGauges("run")
    on = [Finding("straggler", "slow", rank=rank) for rank in range(1000)]
    gauges.take_health(health(alerts=AlertFigures(on, {})))
    assert sum(name.startswith("raymon_alert{") for name in shown(gauges)) == 100
