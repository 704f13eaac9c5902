"""The values of gauges: of a snapshot, an evaluation, and the health of a run."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.results import Evaluation, Health, Snapshot
from raymon.sinks.prometheus.gauges import GAUGES
from raymon.sinks.prometheus.lag import lags, shown

Series = tuple[str, tuple[tuple[str, str], ...]]
"""The name of a gauge, and the names and values of its labels apart from `run`."""

_SHOWN_ALERTS = 100
"""Largest number of alerts that are shown at any time."""


def of_snapshot(snapshot: Snapshot) -> Iterator[tuple[Series, float]]:
    """Yields the values of a snapshot; those without a value are NaN, or are left out."""
    yield series("raymon_step"), snapshot.end_step
    yield series("raymon_epoch"), snapshot.epoch
    for name, loss in snapshot.all_losses.items():
        yield series("raymon_loss", name), loss
    for name, count in {**dict.fromkeys(snapshot.losses, 0), **snapshot.non_finite}.items():
        yield series("raymon_non_finite_losses", name), count
    for name, value in snapshot.metrics.items():
        yield series("raymon_metric", name), value
    for name, value in snapshot.scalars.items():
        yield series("raymon_scalar", name), value
    for i, rate in enumerate(snapshot.learning_rates):
        yield series("raymon_learning_rate", f"g{i}"), rate
    yield series("raymon_samples_per_second"), snapshot.samples_per_second
    yield series("raymon_steps_per_second"), snapshot.steps_per_second
    yield series("raymon_samples_total"), snapshot.samples_total
    anatomy = snapshot.anatomy
    for phase, share in anatomy.shares.items():
        yield series("raymon_phase_share", phase), share
    for phase, share in anatomy.median_shares.items():
        yield series("raymon_phase_share_median", phase), share
    for phase, share in anatomy.slowest_shares.items():
        yield series("raymon_phase_share_slowest", phase), share
    yield series("raymon_host_bytes"), snapshot.host_bytes
    for name, number in snapshot.device_figures.items():
        if number is not None:
            yield series(f"raymon_{name}"), number
    if snapshot.loss_scale is not None or snapshot.skipped_steps:
        yield series("raymon_skipped_steps"), snapshot.skipped_steps
    if snapshot.loss_scale is not None:
        yield series("raymon_loss_scale"), snapshot.loss_scale
    for name, table in snapshot.tables.items():
        for figure, value in table.figures().items():
            if f"raymon_table_{figure}" in GAUGES:
                yield series(f"raymon_table_{figure}", name), value


def of_evaluation(evaluation: Evaluation) -> Iterator[tuple[Series, float]]:
    """Yields the scores of an evaluation."""
    yield series("raymon_eval_step"), evaluation.step
    for name, value in evaluation.metrics.items():
        yield series("raymon_eval_metric", name), value


def of_health(health: Health, elapsed_s: float) -> Iterator[tuple[Series, float]]:
    """Yields what is known of a run apart from its numbers, `elapsed_s` after it was taken."""
    yield series("raymon_windows_lost_total"), health.windows_lost
    yield series("raymon_sink_failures_total"), health.sink_failures
    yield series("raymon_saves_failed_total"), health.saves_failed
    for finding in health.alerts.on[:_SHOWN_ALERTS]:
        rank = "" if finding.rank is None else str(finding.rank)
        yield series("raymon_alert", finding.kind, rank), 1
    for kind, count in health.alerts.counts.items():
        yield series("raymon_alerts_total", kind), count
    if health.coverage is not None:
        yield series("raymon_coverage_ranks"), health.coverage.ranks
    if health.checkpoint_step is not None:
        yield series("raymon_checkpoint_step"), health.checkpoint_step
    if health.attempt == 0:  # no attempt has begun
        return
    yield series("raymon_attempt"), health.attempt
    yield series("raymon_world_size"), len(health.ranks)
    yield series("raymon_ranks_ended"), sum(rank.ended for rank in health.ranks)
    found = lags(health.ranks, elapsed_s)
    yield series("raymon_lag_seconds_max"), max((lag.seconds for lag in found), default=0)
    yield series("raymon_lag_steps_max"), max((lag.steps for lag in found), default=0)
    for lag in shown(found):
        yield series("raymon_lag_seconds", str(lag.rank)), lag.seconds
        yield series("raymon_lag_steps", str(lag.rank)), lag.steps


def series(name: str, *labels: str) -> Series:
    """Returns the series of a gauge with the values of its labels."""
    return name, tuple(zip(GAUGES[name].labels, labels, strict=True))
