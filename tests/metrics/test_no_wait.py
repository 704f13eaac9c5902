"""On the training thread no metric asks a device for a number.

Updates run on fake CUDA tensors, where whatever depends on data raises, and so does every copy
between devices. What else happens on the training thread runs on meta tensors, which have no data
either. What CUDA itself says is asked in `tests/gpu`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest
import torch
from torchmetrics import Metric

from raymon.metrics import TrainMetricWrapper
from tests.installed import python_of_tests
from tests.metrics.kinds import (
    BINARY,
    EXACT,
    EXACT_MULTICLASS,
    GROUPED,
    IN_BATCH,
    MULTICLASS,
    Kind,
)


@pytest.fixture
def meta() -> Iterator[None]:
    """Makes every tensor on a device that holds no numbers."""
    with torch.device("meta"):
        yield


def test_no_update_waits_for_cuda_or_copies_off_it() -> None:
    command = [python_of_tests(), "-m", "tests.metrics.fake_cuda"]
    # Where there is a GPU, torch would make a constant on it before any mode sees a copy.
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, env=hidden)
    assert finished.stdout.strip() == ""
    assert finished.returncode == 0, finished.stderr


@pytest.mark.usefixtures("meta")
@pytest.mark.parametrize(
    "ask",
    [
        torch.Tensor.item,
        torch.Tensor.cpu,
        torch.Tensor.tolist,
        torch.Tensor.nonzero,
        lambda scores: bool(scores[0] > 0),
        lambda scores: scores[scores > 0],
        lambda scores: torch.bincount(scores.long()),
    ],
)
def test_asking_a_meta_tensor_for_a_number_is_noticed(
    ask: Callable[[torch.Tensor], object],
) -> None:
    with pytest.raises((RuntimeError, NotImplementedError)):
        ask(torch.rand(1))


@pytest.mark.usefixtures("meta")
@pytest.mark.parametrize("rows", [0, 8])
@pytest.mark.parametrize("weighted", [False, True])
def test_windows_are_taken_without_waiting(rows: int, weighted: bool) -> None:
    for kinds, shape in ((BINARY + IN_BATCH, (rows,)), (MULTICLASS, (rows, 6))):
        preds, target = torch.rand(shape), torch.ones(rows)
        weights = {"weights": torch.rand(rows)} if weighted else {}
        for kind in kinds:
            wrapper = TrainMetricWrapper(kind())
            wrapper.hand_over()
            for _ in range(3):
                wrapper.update(preds, target, **weights)
            assert {state.device.type for state in wrapper.take_window().values()} == {"meta"}
            left = wrapper.metric.metric_state.values()
            assert {state.device.type for state in left} == {"meta"}


@pytest.mark.usefixtures("meta")
@pytest.mark.parametrize("kind", BINARY + IN_BATCH)
def test_folding_without_a_monitor_does_not_wait(kind: Kind) -> None:
    wrapper = TrainMetricWrapper(kind(), decay_step=1)
    for _ in range(3):
        wrapper.update(torch.rand(8), torch.ones(8))
        assert wrapper._decayed.tensor is not None
        assert wrapper._decayed.tensor.device.type == "meta"


@pytest.mark.parametrize(
    "kind", [*BINARY, *IN_BATCH, *EXACT, *MULTICLASS, *EXACT_MULTICLASS, *GROUPED]
)
def test_a_metric_that_moved_has_all_of_its_state_there(kind: Kind) -> None:
    metric: Metric = kind().to("meta")
    for _ in range(2):
        held = [*metric.metric_state.values(), *metric._defaults.values()]
        tensors = [t for part in held for t in (part if isinstance(part, list) else [part])]
        assert {tensor.device.type for tensor in tensors} <= {"meta"}
        metric.reset()
    rows = torch.rand((8, 6) if kind in MULTICLASS + EXACT_MULTICLASS else 8, device="meta")
    labels, key = torch.ones(8, device="meta"), torch.ones(8, dtype=torch.int64, device="meta")
    metric.update(rows, labels, *([key] if kind in GROUPED else []))


@pytest.mark.parametrize("kind", BINARY + IN_BATCH)
def test_empty_batches_change_nothing(kind: Kind) -> None:
    metric, other = kind(), kind()
    metric.update(torch.tensor([0.3, 0.6]), torch.tensor([0, 1]))
    other.update(torch.tensor([0.3, 0.6]), torch.tensor([0, 1]))
    other.update(torch.empty(0), torch.empty(0))
    for name, state in metric.metric_state.items():
        assert torch.equal(state, other.metric_state[name])
