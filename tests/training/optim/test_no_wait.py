"""What a step does with gradients and averages asks no device for a number.

Tensors on meta have no data, so whatever depends on data raises.
"""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from raymon.data import Batch, EmbeddingSpec, IdList
from raymon.embeddings import EmbeddingCollection, EmbeddingTable
from raymon.models import Model
from raymon.protos.optimizer_pb2 import EMA, SparseOptimizer
from raymon.protos.train_pb2 import GradClippingConfig
from raymon.recorder import Recorder
from raymon.training.optim.averages import AveragedWeights
from raymon.training.optim.gradients import GradientClipper, GradientSummaries
from raymon.training.optim.row_optimizer import RowOptimizer
from raymon.training.optim.row_optimizers import build_row_optimizer
from raymon.training.optim.table_gradients import TableGradients
from tests.models.pipelines import DEEPFM, DLRM, model_of, pipeline
from tests.training.optim.test_gradients import Measured

META = torch.device("meta")


@pytest.fixture(params=[DLRM, DEEPFM], ids=["dlrm", "deepfm"])
def model(request: pytest.FixtureRequest) -> Model:
    """A model on meta with gradients of all parameters."""
    made = model_of(pipeline(request.param)).to(META)
    for parameter in made.parameters():
        parameter.grad = torch.empty_like(parameter)
    return made


@pytest.mark.parametrize("kind", ["norm", "value"])
def test_gradients_are_clipped(model: Model, kind: str) -> None:
    text = f'clipping_type: "{kind}" max_gradient: 1.5'
    GradientClipper(text_format.Parse(text, GradClippingConfig()), model).clip()


def test_all_summaries_are_measured(model: Model) -> None:
    recorder: Any = Measured()
    wanted = ["parameter", "gradient", "gradient_norm", "global_gradient_norm"]
    GradientSummaries(wanted, model, cast(Recorder, recorder), META).measure()
    measured = [*recorder.norms.values()]
    measured += [tensor for counts in recorder.histograms.values() for tensor in counts.values()]
    assert {tensor.device for tensor in measured} == {META}
    assert set(recorder.histograms) >= {name for name, _ in model.named_parameters()}


def test_parameters_are_averaged(model: Model) -> None:
    averages = AveragedWeights(EMA(decay=0.9), model)
    for _ in range(3):
        averages.update()
    with averages.applied():
        pass
    assert {tensor.device for tensor in averages.tensors.values()} == {META}


class _Memories(TorchDispatchMode):
    """Adds up the bytes of the memory on meta that is made."""

    def __init__(self) -> None:
        super().__init__()
        self.nbytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        known = _storages((args, kwargs))
        self.nbytes += sum(n for one, n in _storages(found).items() if one not in known)
        return found


def _storages(values: Any) -> dict[int, int]:
    """Returns the bytes of each memory on meta."""
    tensors = [one for one in tree_leaves(values) if isinstance(one, torch.Tensor)]
    memories = [one.untyped_storage() for one in tensors if one.device == META]
    return {one._cdata: one.nbytes() for one in memories}


def _optimizer_on(device: torch.device, kind: str = "adam_optimizer") -> RowOptimizer:
    collection = EmbeddingCollection(
        {name: EmbeddingSpec(name, 40_000, 4) for name in ("a", "b")}
    ).to(device)
    tables = [one for one in collection.tables.values() if isinstance(one, EmbeddingTable)]
    block = text_format.Parse(f"{kind} {{}}", SparseOptimizer())
    optimizer = build_row_optimizer(block, TableGradients(tables).tables)
    ids = IdList(torch.zeros(3, dtype=torch.int64, device=device))
    collection(Batch(3, sparse={"a": ids, "b": ids}))["a"].sum().backward()
    optimizer.step()
    return optimizer


@pytest.mark.parametrize("kind", SparseOptimizer.DESCRIPTOR.oneofs_by_name["optimizer"].fields)
def test_rows_are_moved(kind: FieldDescriptor) -> None:
    assert _optimizer_on(META, kind.name).rate == 0.002


def test_restored_states_are_on_the_device_once() -> None:
    saved = _optimizer_on(torch.device("cpu")).state_dict()
    restored = _optimizer_on(META)
    with _Memories() as made:
        restored.load_state_dict(saved)
    # Two numbers for each of the table, and for the spare row.
    assert made.nbytes == 2 * 4 * 4 * (2 * 40_000 + 1)
    states = list(restored.state.values())
    assert len({one["exp_avg"].untyped_storage()._cdata for one in states}) == 1
