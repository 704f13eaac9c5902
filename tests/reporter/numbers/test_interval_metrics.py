"""Train metrics of some windows alone."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from raymon.protos.report_pb2 import TensorState
from raymon.reporter.numbers.interval_metrics import IntervalMetrics
from raymon.wire.states import State


def window(fingerprint: int, entries: list[float]) -> Any:
    state = State(np.array(entries), TensorState.MAX)
    layout = SimpleNamespace(fingerprint=fingerprint)
    return SimpleNamespace(
        layout=layout,
        counts=np.zeros(2, np.int64),
        others={"largest": {"most": state}},
        metric_failures={},
    )


def test_a_metric_that_is_another_one_in_mid_period_has_no_value_and_stops_nothing() -> None:
    metrics = IntervalMetrics()
    metrics.add(window(1, [1.0, 5.0]))
    metrics.add(window(1, [3.0, 2.0]))
    assert metrics.others["largest"]["most"].entries.tolist() == [3.0, 5.0]
    for _ in range(2):
        metrics.add(window(2, [1.0, 2.0, 3.0]))
    assert metrics.values({}) == {}
    assert not metrics.known
