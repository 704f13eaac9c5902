"""Custom metrics: by name or class, checked before a run, merged by their reductions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from google.protobuf import text_format
from torchmetrics import MaxMetric, Metric, SumMetric
from torchmetrics.classification import BinaryAUROC

import raymon
from raymon.errors import ConfigError, UserError
from raymon.metrics import (
    TrainMetricWrapper,
    build_metric,
    build_train_metric,
    few_rows,
    merge_states,
    registered_metrics,
    takes_weights,
    try_out,
)
from raymon.metrics.decay.states import compute_states
from raymon.metrics.registry import custom
from raymon.protos.metric_pb2 import MetricConfig, TrainMetricConfig


class Spread(Metric):
    """The largest score minus the smallest, plus the number of rows above a threshold."""

    full_state_update = False

    def __init__(self, above: float = 0.5) -> None:
        super().__init__()
        self.above = above
        self.add_state("low", torch.tensor(float("inf")), "min")
        self.add_state("high", torch.tensor(-float("inf")), "max")
        self.add_state("rows", torch.tensor(0), "sum")

    def update(self, preds: torch.Tensor, target: torch.Tensor) -> None:
        if len(preds):
            self.low = torch.minimum(self.low, preds.min())
            self.high = torch.maximum(self.high, preds.max())
        self.rows = self.rows + (preds > self.above).sum()

    def compute(self) -> torch.Tensor:
        return self.high - self.low + self.rows


class Vector(Spread):
    def compute(self) -> torch.Tensor:
        return torch.zeros(3)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    raymon.register_metric("spread", Spread)
    raymon.register_metric("vector", Vector)
    yield
    # What is registered goes along to the workers of runs, which do not have this file.
    for name in ("spread", "vector"):
        del custom._registered[name]


def _metric(text: str) -> MetricConfig:
    return text_format.Parse(f"custom_metric {{ {text} }}", MetricConfig())


def test_a_registered_metric_is_built_with_the_kwargs_of_the_config() -> None:
    metric = build_metric(_metric('name: "spread" kwargs { key: "above" value: "0.9" }'), 1)
    assert isinstance(metric, Spread)
    assert metric.above == 0.9
    assert registered_metrics()["spread"] is Spread


def test_a_metric_that_can_be_imported_needs_no_registration() -> None:
    metric = build_metric(_metric('name: "torchmetrics.classification:BinaryAUROC"'), 1)
    assert isinstance(metric, BinaryAUROC)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('name: "spred"', '"spred" is not registered; there is '),
        ('name: "no_such_module:Metric"', "cannot be imported"),
        ('name: "torchmetrics:NoSuch"', "torchmetrics has no class NoSuch"),
        ('name: "torch.nn:Linear"', "is not a subclass of torchmetrics.Metric"),
        ('name: "spread" kwargs { key: "below" value: "1" }', "unexpected keyword argument"),
        ('name: "spread" kwargs { key: "above" value: "x" }', "'x' is not JSON"),
    ],
)
def test_what_cannot_be_built_is_one_line(config: str, says: str) -> None:
    with pytest.raises(ConfigError, match="custom_metric") as raised:
        build_metric(_metric(config), 1)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("name", "cls", "says"),
    [
        ("spread", SumMetric, "registered already"),
        ("not a name", Spread, "is no name"),
        ("linear", torch.nn.Linear, "no subclass of torchmetrics.Metric"),
    ],
)
def test_a_registration_that_would_not_work_is_refused(name: str, cls: type, says: str) -> None:
    with pytest.raises(UserError, match=says):
        raymon.register_metric(name, cls)


def test_a_metric_is_tried_out_before_a_run() -> None:
    try_out(Spread(), *few_rows(1, real=False))
    try_out(BinaryAUROC(), *few_rows(1, real=False))
    with pytest.raises(ConfigError, match=r"Vector gives \[3\]; a metric must give a scalar"):
        try_out(Vector(), *few_rows(1, real=False))
    with pytest.raises(ConfigError, match="BinaryAUROC fails"):
        try_out(BinaryAUROC(), *few_rows(5, real=False))


def test_windows_are_merged_by_the_reductions_of_the_metric() -> None:
    config = TrainMetricConfig(custom_metric=_metric('name: "spread"').custom_metric)
    wrapper = build_train_metric(config, 1)
    assert not wrapper.metric.sync_on_compute
    wrapper.hand_over()
    scores = torch.tensor([0.1, 0.9, 0.6, 0.2, 0.7])
    parts = []
    for part in (scores[:2], scores[2:3], scores[3:]):
        wrapper.update(part, part)
        parts.append(wrapper.take_window())
    merged = merge_states(wrapper.metric, parts)
    assert compute_states(wrapper.metric, merged).value.item() == pytest.approx(3.8)
    assert wrapper.extremes == {"low": "min", "high": "max"}


def test_updates_of_a_custom_metric_are_never_joined() -> None:
    calls = []

    class Calls(SumMetric):
        def update(self, preds: torch.Tensor, target: torch.Tensor) -> None:
            calls.append(len(preds))

    wrapper = TrainMetricWrapper(Calls())
    wrapper.hand_over()
    for rows in (3, 4):
        wrapper.update(torch.zeros(rows), torch.zeros(rows))
    wrapper.take_window()
    assert calls == [3, 4]


def test_a_metric_that_keeps_rows_or_means_is_for_evaluation_alone() -> None:
    with pytest.raises(UserError, match="BinaryAUROC: state 'preds' grows with the rows"):
        TrainMetricWrapper(BinaryAUROC())

    class Mean(Metric):
        def __init__(self) -> None:
            super().__init__()
            self.add_state("mean", torch.tensor(0.0), "mean")

        def update(self, preds: torch.Tensor, target: torch.Tensor) -> None: ...

        def compute(self) -> torch.Tensor:
            return self.mean

    with pytest.raises(UserError, match="state 'mean' cannot be merged over windows"):
        TrainMetricWrapper(Mean())


def test_weights_go_to_those_that_take_them() -> None:
    assert takes_weights(raymon.metrics.AUC())
    assert not takes_weights(MaxMetric())
