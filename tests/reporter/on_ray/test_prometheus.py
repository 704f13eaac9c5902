from collections.abc import Callable
from typing import ClassVar

import pytest

from raymon.reporter.on_ray import prometheus
from raymon.reporter.on_ray.prometheus import PrometheusExporter
from raymon.results import Health
from raymon.sinks import run_label
from raymon.sinks.prometheus.gauges import GAUGES
from tests.sinks.snapshots import snapshot

Exported = tuple[PrometheusExporter, dict[tuple, float]]


class Endpoint:
    """A stand-in for Ray's endpoint, with what was set last."""

    values: ClassVar[dict[tuple, float]] = {}

    def __init__(self, name: str, description: str, labels: tuple[str, ...]) -> None:
        self._name, self._labels = name, labels

    def set(self, value: float, labels: dict[str, str]) -> None:
        assert tuple(labels) == self._labels
        # As Ray takes them.
        assert all(text.isascii() for text in labels.values())
        self.values[self._name, *labels.values()] = value


class Broken(Endpoint):
    def set(self, value: float, labels: dict[str, str]) -> None:
        raise OSError("no endpoint")


@pytest.fixture
def exporter(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[type[Endpoint]], Exported]:
    def make(
        endpoint: type[Endpoint],
        run: str = "runs/click",
    ) -> Exported:
        # Values of its own, since the thread of an earlier test goes on.
        own = type("Own", (endpoint,), {"values": {}})
        monkeypatch.setattr(prometheus, "RayGauge", own)
        return PrometheusExporter(run), own.values

    return make


def healthy() -> Health:
    return Health(1, [], None, None, 0, 0, 0)


def test_what_the_sink_takes_is_set_with_the_labels_that_the_gauge_has(exporter) -> None:
    exported, values = exporter(Endpoint)
    exported.sink.write(snapshot(20))
    assert exported.look(healthy) is None
    exported.close()
    run = run_label("runs/click")
    assert values["raymon_step", run] == 20
    assert values["raymon_metric", run, "auc"] == 0.71234
    assert values["raymon_attempt", run] == 1
    assert {name for name, *_ in values} <= set(GAUGES)


def test_an_end_is_set_at_once_and_last(exporter) -> None:
    exported, values = exporter(Endpoint)
    exported.close()
    assert values["raymon_up", run_label("runs/click")] == 1
    exported.sink.close()
    exported.close()
    assert values["raymon_up", run_label("runs/click")] == 0


def test_an_endpoint_that_fails_is_told_once_and_raises_nothing(exporter) -> None:
    exported, _ = exporter(Broken)
    exported.close()
    assert exported.look(healthy) == "monitoring: Prometheus: OSError: no endpoint"
    assert exported.look(healthy) is None


def test_health_that_fails_is_told_and_raises_nothing(exporter) -> None:
    def fail() -> Health:
        raise ValueError("no health")

    exported, _ = exporter(Endpoint)
    assert exported.look(fail) == "monitoring: Prometheus: ValueError: no health"


def test_a_run_may_have_any_name(exporter) -> None:
    exported, values = exporter(Endpoint, "runs/点击 é")
    exported.close()
    assert exported.look(healthy) is None
    ((_, run),) = [key for key in values if key[0] == "raymon_up"]
    assert run.startswith(r"\u70b9\u51fb \xe9-")
