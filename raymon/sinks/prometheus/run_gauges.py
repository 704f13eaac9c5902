"""The sink that keeps the newest numbers of a run as gauges for Prometheus."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import urlsplit, urlunsplit

from raymon.results import Alert, Evaluation, Health, Snapshot
from raymon.sinks.prometheus.gauges import GAUGES
from raymon.sinks.prometheus.lag import lags, shown

Series = tuple[str, tuple[tuple[str, str], ...]]
"""The name of a gauge, and the names and values of its labels apart from `run`."""

_SHOWN_ALERTS = 100
"""Largest number of alerts that are shown at any time."""


_RATES = {("raymon_samples_per_second", ()), ("raymon_steps_per_second", ())}
"""Gauges that are 0 while no step is made."""


def run_label(run: str) -> str:
    """Returns a short name of a run, such as `click-1f3a9c`.

    The name is the last part of the path that the run writes to, and six digits that distinguish
    runs with the same last part.
    """
    place = shown_place(run)
    digits = hashlib.sha256(place.encode()).hexdigest()[:6]
    return f"{PurePosixPath(place).name or 'run'}-{digits}"


def shown_place(run: str) -> str:
    """Returns where a run writes to, without the credentials and options of a URI."""
    if "://" not in run:
        return run
    parts = urlsplit(run)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class RunGauges:
    """A sink that keeps the current values of the gauges of a run; thread-safe.

    A value that is not finite has no series, just as it leaves a gap on the curves of TensorBoard.

    Args:
        run: Directory or URI that the run writes to.
        version: Version of raymon.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self, run: str, version: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._info = (("model_dir", shown_place(run)), ("version", version))
        self._clock = clock
        self._lock = threading.Lock()
        self._training: dict[Series, float] = {}
        self._evaluation: dict[Series, float] = {}
        self._evaluated = -1
        self._health: Health | None = None
        self._health_at = 0.0
        self._closed = False

    def write(self, snapshot: Snapshot) -> None:
        """Sets the gauges of training to the newest steps."""
        with self._lock:
            self._training = dict(_of_snapshot(snapshot))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Sets the gauges of evaluation, unless a later step than this one was evaluated."""
        with self._lock:
            if evaluation.step >= self._evaluated:
                self._evaluated = evaluation.step
                self._evaluation = dict(_of_evaluation(evaluation))

    def write_alert(self, alert: Alert) -> None:
        """Does nothing, since the health of the run has what is wrong."""

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Goes back to `step`, whose numbers are not known until they are written again."""
        with self._lock:
            self._training = {("raymon_step", ()): step}
            if self._evaluated > evaluation_step:
                self._evaluated, self._evaluation = -1, {}

    def take_health(self, health: Health) -> None:
        """Sets the gauges of the run's health."""
        with self._lock:
            self._health, self._health_at = health, self._clock()

    def flush(self) -> None:
        """Does nothing, since nothing is gathered."""

    def close(self) -> None:
        """Removes all gauges except the one that says that the run has ended."""
        with self._lock:
            self._closed = True

    def series(self) -> Mapping[Series, float]:
        """Returns the current value of every series."""
        with self._lock:
            if self._closed:
                return {("raymon_up", ()): 0}
            found: dict[Series, float] = {("raymon_up", ()): 1, ("raymon_run_info", self._info): 1}
            found |= self._training | self._evaluation
            if self._health is not None and self._health.stalled_s > 0:
                found |= dict.fromkeys(found.keys() & _RATES, 0.0)
            if self._health is not None:
                found |= dict(_of_health(self._health, self._clock() - self._health_at))
        return {series: value for series, value in found.items() if math.isfinite(value)}


def _of_snapshot(snapshot: Snapshot) -> Iterator[tuple[Series, float]]:
    yield _series("raymon_step"), snapshot.end_step
    yield _series("raymon_epoch"), snapshot.epoch
    for name, loss in snapshot.all_losses.items():
        yield _series("raymon_loss", name), loss
    for name, count in {**dict.fromkeys(snapshot.losses, 0), **snapshot.non_finite}.items():
        yield _series("raymon_non_finite_losses", name), count
    for name, value in snapshot.metrics.items():
        yield _series("raymon_metric", name), value
    for i, rate in enumerate(snapshot.learning_rates):
        yield _series("raymon_learning_rate", f"g{i}"), rate
    yield _series("raymon_samples_per_second"), snapshot.samples_per_second
    yield _series("raymon_steps_per_second"), snapshot.steps_per_second
    yield _series("raymon_samples_total"), snapshot.samples_total
    anatomy = snapshot.anatomy
    for phase, share in anatomy.shares.items():
        yield _series("raymon_phase_share", phase), share
    for phase, share in anatomy.median_shares.items():
        yield _series("raymon_phase_share_median", phase), share
    for phase, share in anatomy.slowest_shares.items():
        yield _series("raymon_phase_share_slowest", phase), share
    yield _series("raymon_host_bytes"), snapshot.host_bytes
    for name, number in snapshot.device_figures.items():
        if number is not None:
            yield _series(f"raymon_{name}"), number
    if snapshot.loss_scale is not None or snapshot.skipped_steps:
        yield _series("raymon_skipped_steps"), snapshot.skipped_steps
    if snapshot.loss_scale is not None:
        yield _series("raymon_loss_scale"), snapshot.loss_scale
    for name, table in snapshot.tables.items():
        for figure, value in table.figures().items():
            if f"raymon_table_{figure}" in GAUGES:
                yield _series(f"raymon_table_{figure}", name), value


def _of_evaluation(evaluation: Evaluation) -> Iterator[tuple[Series, float]]:
    yield _series("raymon_eval_step"), evaluation.step
    for name, value in evaluation.metrics.items():
        yield _series("raymon_eval_metric", name), value


def _of_health(health: Health, elapsed_s: float) -> Iterator[tuple[Series, float]]:
    yield _series("raymon_windows_lost_total"), health.windows_lost
    yield _series("raymon_sink_failures_total"), health.sink_failures
    yield _series("raymon_saves_failed_total"), health.saves_failed
    for finding in health.alerts.on[:_SHOWN_ALERTS]:
        rank = "" if finding.rank is None else str(finding.rank)
        yield _series("raymon_alert", finding.kind, rank), 1
    for kind, count in health.alerts.counts.items():
        yield _series("raymon_alerts_total", kind), count
    if health.coverage is not None:
        yield _series("raymon_coverage_ranks"), health.coverage.ranks
    if health.checkpoint_step is not None:
        yield _series("raymon_checkpoint_step"), health.checkpoint_step
    if health.attempt == 0:  # no attempt has begun
        return
    yield _series("raymon_attempt"), health.attempt
    yield _series("raymon_world_size"), len(health.ranks)
    yield _series("raymon_ranks_ended"), sum(rank.ended for rank in health.ranks)
    found = lags(health.ranks, elapsed_s)
    yield _series("raymon_lag_seconds_max"), max((lag.seconds for lag in found), default=0)
    yield _series("raymon_lag_steps_max"), max((lag.steps for lag in found), default=0)
    for lag in shown(found):
        yield _series("raymon_lag_seconds", str(lag.rank)), lag.seconds
        yield _series("raymon_lag_steps", str(lag.rank)), lag.steps


def _series(name: str, *labels: str) -> Series:
    return name, tuple(zip(GAUGES[name].labels, labels, strict=True))
