"""The gauges of a run on the metrics endpoint of its Ray node, which Prometheus reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from importlib.metadata import version

from ray.util.metrics import Gauge as RayGauge

from raymon.results import Health
from raymon.sinks import GAUGES, RunGauges, Sink, run_label

EVERY_S = 1.0
"""Seconds between two times that all gauges are set, and between two looks at the run's health.

Ray takes a gauge off its endpoint that was not set for two of its report intervals, which are a
second or longer. So a series that is not set any more goes by itself, and so does all of a process
that has died."""


class PrometheusExporter:
    """Sets the gauges of a run from a daemon thread, until the process ends. Raises nothing.

    Args:
        run: Where the run writes to.
    """

    def __init__(self, run: str) -> None:
        self._label = run_label(run)
        self._numbers = RunGauges(run, version("raymon"))
        self._gauges: dict[str, RayGauge] = {}
        # So that the end is what is set last.
        self._setting = threading.Lock()
        self._looked_at: float | None = None
        self._errors: list[str] = []
        self._told = False
        threading.Thread(target=self._work, name="raymon-prometheus", daemon=True).start()

    @property
    def sink(self) -> Sink:
        """Where the reporter writes its numbers to."""
        return self._numbers

    def look(self, health: Callable[[], Health]) -> str | None:
        """Takes the health of the run, once in `EVERY_S`, however often it is called.

        Args:
            health: Asked when it is time.

        Returns:
            What a person should read: the first failure, once.
        """
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= EVERY_S:
            self._looked_at = now
            try:
                self._numbers.take_health(health())
            except Exception as error:
                self._fail(error)
        if self._errors and not self._told:
            self._told = True
            return f"monitoring: Prometheus: {self._errors[0]}"
        return None

    def close(self) -> None:
        """Shows what there is at once: a process that ends passes on what was set last."""
        self._set_all()

    def _work(self) -> None:
        while True:
            self._set_all()
            time.sleep(EVERY_S)

    def _set_all(self) -> None:
        try:
            with self._setting:
                for (name, labels), value in self._numbers.series().items():
                    tags = {"run": self._label, **dict(labels)}
                    self._gauge(name).set(value, {tag: _ascii(tags[tag]) for tag in tags})
        except Exception as error:
            self._fail(error)

    def _gauge(self, name: str) -> RayGauge:
        if name not in self._gauges:
            gauge = GAUGES[name]
            self._gauges[name] = RayGauge(name, gauge.description, ("run", *gauge.labels))
        return self._gauges[name]

    def _fail(self, error: Exception) -> None:
        if not self._errors:
            self._errors.append(f"{type(error).__name__}: {error}")


def _ascii(text: str) -> str:
    """A text as a tag of Ray, which takes ASCII alone."""
    return text.encode("ascii", "backslashreplace").decode()
