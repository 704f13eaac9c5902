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
"""Seconds between two updates of the gauges, and between two looks at the run's health.

Ray removes a gauge from its endpoint that was not set for two of its report intervals, which are a
second or longer. So a series that is no longer set disappears, as do all of a dead process.
"""


class PrometheusExporter:
    """A daemon thread that sets the gauges of a run until the process ends; raises nothing.

    Args:
        run: Directory or URI that the run writes to.
    """

    def __init__(self, run: str) -> None:
        self._label = run_label(run)
        self._run_gauges = RunGauges(run, version("raymon"))
        self._gauges: dict[str, RayGauge] = {}
        # Held while gauges are set, so that what `close` sets is the last.
        self._setting = threading.Lock()
        self._looked_at: float | None = None
        self._errors: list[str] = []
        self._shown = False
        threading.Thread(target=self._work, name="raymon-prometheus", daemon=True).start()

    @property
    def sink(self) -> Sink:
        """The sink through which the reporter sets the numbers."""
        return self._run_gauges

    def look(self, health: Callable[[], Health]) -> str | None:
        """Updates the health of the run, at most once in `EVERY_S`, however often it is called.

        Args:
            health: Function that returns the health; called only when an update is due.

        Returns:
            A notice about the first failure, once; else None.
        """
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= EVERY_S:
            self._looked_at = now
            try:
                self._run_gauges.take_health(health())
            except Exception as error:
                self._fail(error)
        if self._errors and not self._shown:
            self._shown = True
            return f"monitoring: Prometheus: {self._errors[0]}"
        return None

    def close(self) -> None:
        """Sets all gauges at once: a process that ends passes on what was set last."""
        self._set_all()

    def _work(self) -> None:
        while True:
            self._set_all()
            time.sleep(EVERY_S)

    def _set_all(self) -> None:
        try:
            with self._setting:
                for (name, labels), value in self._run_gauges.series().items():
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
    """Returns a text as the value of a tag of Ray, which has to be ASCII."""
    return text.encode("ascii", "backslashreplace").decode()
