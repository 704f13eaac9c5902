"""Metrics on a GPU count what they count on the CPU, to the bit, and do not wait for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torchmetrics import Metric

from benchmarks.harness.device_waits import waits_of_this_thread
from raymon.metrics import CheckedMetric, TrainMetricWrapper, take_window_states
from tests.metrics.kinds import (
    BINARY,
    EXACT,
    EXACT_MULTICLASS,
    GROUPED,
    IN_BATCH,
    MULTICLASS,
    Kind,
)

pytestmark = pytest.mark.gpu

ROWS = 3_000
KINDS = [*BINARY, *IN_BATCH, *EXACT, *MULTICLASS, *EXACT_MULTICLASS, *GROUPED]
OF_CLASSES = [*MULTICLASS, *EXACT_MULTICLASS]
TYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


def rows_of(kind: Kind, dtype: torch.dtype, weighted: bool, seed: int = 0) -> dict[str, Tensor]:
    """Arguments of an update on the CPU: scores with ties and both ends, of several updates."""
    generator = torch.Generator().manual_seed(seed)
    shape = (ROWS, 6) if kind in OF_CLASSES else (ROWS,)
    scores = torch.rand(shape, generator=generator).square()
    scores[::7] = scores[::7].mul(20).round().div(20)
    classes = 6 if kind in OF_CLASSES else 2
    labels = torch.randint(0, classes, (ROWS,), generator=generator)
    found = {"preds": scores.to(dtype), "target": labels.float()}
    if weighted:
        found["weights"] = torch.rand(ROWS, generator=generator) + 0.1
    if kind in GROUPED:
        found["grouping_key"] = torch.randint(0, 200, (ROWS,), generator=generator)
    return found


def update(metric: Metric, rows: dict[str, Tensor]) -> None:
    """Adds rows to a metric where it is."""
    there = {name: column.to(metric.device) for name, column in rows.items()}
    key = {"grouping_key": there["grouping_key"]} if "grouping_key" in there else {}
    metric.update(there["preds"], there["target"], **key, weights=there.get("weights"))


def states(metric: Metric) -> dict[str, list[Tensor]]:
    """All states, on the CPU."""
    found = metric.metric_state.items()
    return {n: [t.cpu() for t in (s if isinstance(s, list) else [s])] for n, s in found}


def same_value(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(
        one.cpu().double(), other.cpu().double(), rtol=1e-9, atol=1e-12, equal_nan=True
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_states_are_those_of_the_cpu(
    kind: Kind, dtype: torch.dtype, weighted: bool, device: torch.device
) -> None:
    there, here = kind().to(device), kind()
    for seed in range(3):
        rows = rows_of(kind, dtype, weighted, seed)
        update(there, rows)
        update(here, rows)
    expected = states(here)
    for name, found in states(there).items():
        if name.startswith("cross_entropy"):
            # Logarithms differ in their last bit: the sums are compared as values, below.
            continue
        for one, other in zip(found, expected[name], strict=True):
            assert one.dtype == other.dtype
            assert torch.equal(one, other), name
    same_value(there.compute(), here.compute())
    assert isinstance(there, CheckedMetric)
    assert isinstance(here, CheckedMetric)
    assert (there.error_bound is None) == (here.error_bound is None)
    if there.error_bound is not None and here.error_bound is not None:
        same_value(there.error_bound, here.error_bound)
    assert there.details() == here.details()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_with_the_input_is_counted_as_on_the_cpu(
    kind: Kind, device: torch.device
) -> None:
    rows = rows_of(kind, torch.float32, weighted=True)
    rows["preds"][3] = float("nan")
    rows["preds"][4] = 1.5
    rows["target"][5] = 0.5
    rows["weights"][6] = -1.0
    rows["weights"][7] = float("inf")
    there, here = kind().to(device), kind()
    for metric in (there, here):
        update(metric, rows)
        assert isinstance(metric, CheckedMetric)
        metric.compute()
    assert isinstance(there, CheckedMetric)
    assert isinstance(here, CheckedMetric)
    assert there.input_errors() == here.input_errors()
    assert torch.equal(there.invalid.cpu(), here.invalid)
    assert here.invalid.any()
    assert there.why_no_value() == here.why_no_value()


@pytest.mark.parametrize("kind", KINDS)
def test_a_metric_without_rows_says_on_a_gpu_what_it_says_on_the_cpu(
    kind: Kind, device: torch.device
) -> None:
    there, here = kind().to(device), kind()
    assert isinstance(there, CheckedMetric)
    assert isinstance(here, CheckedMetric)
    same_value(there.compute(), here.compute())
    assert there.why_no_value() == here.why_no_value()


@pytest.mark.parametrize("kind", [*BINARY, *IN_BATCH, *MULTICLASS])
def test_decayed_values_are_those_of_the_cpu(kind: Kind, device: torch.device) -> None:
    wrappers = [
        TrainMetricWrapper(kind(), decay_step=2).to(device),
        TrainMetricWrapper(kind(), decay_step=2),
    ]
    for seed in range(6):
        rows = rows_of(kind, torch.bfloat16, weighted=False, seed=seed)
        for wrapper in wrappers:
            where = wrapper.metric.device
            wrapper.update(rows["preds"].to(where), rows["target"].to(where))
    same_value(wrappers[0].compute(), wrappers[1].compute())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_no_update_waits_and_no_end_of_a_window(
    kind: Kind, weighted: bool, device: torch.device
) -> None:
    metric: Metric = kind().to(device)
    there = {n: c.to(device) for n, c in rows_of(kind, torch.float32, weighted).items()}
    if device.type == "cpu":
        update(metric, there)
        take_window_states(metric)
        return
    with waits_of_this_thread() as found:
        update(metric, there)
        take_window_states(metric)
    assert not found


@pytest.fixture(scope="module")
def nccl(device: torch.device) -> Iterator[str]:
    """A world of one rank over NCCL; over gloo on the CPU."""
    backend = "nccl" if device.type == "cuda" else "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
    yield backend
    dist.destroy_process_group()


@pytest.mark.usefixtures("nccl")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_value_over_ranks_is_exchanged_on_the_device(
    kind: Kind, weighted: bool, device: torch.device
) -> None:
    there, here = kind().to(device), kind()
    here.sync_on_compute = False
    rows = rows_of(kind, torch.float32, weighted)
    update(there, rows)
    update(here, rows)
    same_value(there.compute(), here.compute())
    # The rows of this rank are its own again.
    update(there, rows)
    update(here, rows)
    same_value(there.compute(), here.compute())
