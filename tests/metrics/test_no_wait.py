"""On the training thread no metric asks a device for a number.

The tensors are meta tensors: they have no data, so whatever depends on data raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torchmetrics import Metric

from raymon.metrics import (
    AUC,
    Accuracy,
    DecayAUC,
    GroupedAUC,
    MeanAbsoluteError,
    MeanSquaredError,
    MulticlassAUC,
    NormalizedEntropy,
    RecallAtK,
    TrainMetricWrapper,
    take_window_states,
)

BINARY: list[Callable[[], Metric]] = [
    AUC,
    lambda: AUC(200),
    DecayAUC,
    lambda: DecayAUC(200),
    NormalizedEntropy,
    MeanAbsoluteError,
    MeanSquaredError,
    Accuracy,
]
MULTICLASS: list[Callable[[], Metric]] = [
    lambda: MulticlassAUC(6),
    lambda: MulticlassAUC(6, 50),
    RecallAtK,
    Accuracy,
]


@pytest.fixture
def device() -> Iterator[None]:
    """Every tensor is made on a device that holds no numbers."""
    with torch.device("meta"):
        yield


@pytest.mark.usefixtures("device")
def test_asking_for_a_number_would_be_noticed() -> None:
    for ask in (
        torch.Tensor.item,
        torch.Tensor.cpu,
        torch.Tensor.tolist,
        torch.Tensor.nonzero,
        lambda scores: bool(scores[0] > 0),
        lambda scores: scores[scores > 0],
        lambda scores: torch.bincount(scores.long()),
    ):
        with pytest.raises((RuntimeError, NotImplementedError)):
            ask(torch.rand(1))


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("rows", [0, 8])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_updates_and_windows_do_not_wait(rows: int, weighted: bool, dtype: torch.dtype) -> None:
    for kinds, shape in ((BINARY, (rows,)), (MULTICLASS, (rows, 6))):
        preds, target = torch.rand(shape, dtype=dtype), torch.ones(rows)
        weights = torch.rand(rows) if weighted else None
        for kind in kinds:
            metric = kind()
            metric.update(preds, target, weights)
            states = take_window_states(metric)
            assert {state.device.type for state in states.values()} == {"meta"}
            assert {state.device.type for state in metric.metric_state.values()} == {"meta"}


@pytest.mark.usefixtures("device")
def test_rows_are_kept_without_waiting() -> None:
    metric = GroupedAUC()
    metric.update(torch.rand(8), torch.rand(8), torch.ones(8, dtype=torch.int64))
    assert take_window_states(metric)["preds"].device.type == "meta"


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("kind", BINARY)
def test_folding_without_a_monitor_does_not_wait(kind: Callable[[], Metric]) -> None:
    wrapper = TrainMetricWrapper(kind(), decay_step=1)
    for _ in range(3):
        wrapper.update(torch.rand(8), torch.ones(8))
        assert wrapper.compute().device.type == "meta"


@pytest.mark.parametrize("kind", BINARY)
def test_empty_batches_change_nothing(kind: Callable[[], Metric]) -> None:
    metric, other = kind(), kind()
    metric.update(torch.tensor([0.3, 0.6]), torch.tensor([0, 1]))
    other.update(torch.tensor([0.3, 0.6]), torch.tensor([0, 1]))
    other.update(torch.empty(0), torch.empty(0))
    for name, state in metric.metric_state.items():
        assert torch.equal(state, other.metric_state[name])
