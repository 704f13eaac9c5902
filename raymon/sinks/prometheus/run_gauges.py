"""The sink that keeps the newest numbers of a run as gauges for Prometheus."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from urllib.parse import urlsplit, urlunsplit

from raymon.results import Alert, Evaluation, Health, Snapshot
from raymon.sinks.prometheus.series import Series, of_evaluation, of_health, of_snapshot

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
            self._training = dict(of_snapshot(snapshot))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Sets the gauges of evaluation, unless a later step than this one was evaluated."""
        with self._lock:
            if evaluation.step >= self._evaluated:
                self._evaluated = evaluation.step
                self._evaluation = dict(of_evaluation(evaluation))

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
                found |= dict(of_health(self._health, self._clock() - self._health_at))
        return {series: value for series, value in found.items() if math.isfinite(value)}
