"""Norms and histograms of gradients, the same however those of a table are kept."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from google.protobuf import text_format

from raymon.protos.train_pb2 import TrainConfig
from raymon.recorder import Recorder
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.gradients import GradientSummaries
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.rank.worker_context import WorkerContext
from tests.models.pipelines import batch_of, model_of, pipeline
from tests.training.rank_process import RankRun
from tests.training.ways_of_tables import WAYS

CPU = torch.device("cpu")
SUMMARIES = ["global_gradient_norm", "gradient_norm", "gradient"]
CONFIG = """sparse_optimizer { adam_optimizer { lr: 0.1 } }
  dense_optimizer { adam_optimizer { lr: 0.1 } }"""


LAYOUTS = {"dense": torch.strided, "sparse": torch.sparse_coo, "padded": None}
"""Layout of the `grad` of tables, if they have one of their own."""


class Measured:
    """A recorder that keeps what is measured."""

    def __init__(self) -> None:
        self.norms: dict[str, torch.Tensor] = {}
        self.histograms: dict[str, dict[str, torch.Tensor]] = {}

    def add_gradient_norms(self, norms: dict[str, torch.Tensor]) -> None:
        self.norms |= norms

    def add_histogram(self, name: str, counted: dict[str, torch.Tensor]) -> None:
        self.histograms[name] = counted


@pytest.mark.parametrize("way", ["sparse", "padded"])
def test_summaries_of_sparse_gradients_are_those_of_dense_ones(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    measured = []
    for one in ("dense", way):
        WAYS[one](monkeypatch)
        config, model = text_format.Parse(CONFIG, TrainConfig()), model_of(pipeline())
        optimizers = build_optimizers(config, model)
        step = TrainStep(config, model, optimizers, WorkerContext(0, 1, CPU, RankRun()))
        step.backward(batch_of(8, 0), group_rows=8, group=1, last=True)
        recorder: Any = Measured()
        GradientSummaries(SUMMARIES, model, cast(Recorder, recorder), CPU).measure()
        measured.append(recorder)
        kinds = {None if p.grad is None else p.grad.layout for p in model.sparse_parameters()}
        assert kinds == {LAYOUTS[one]}
    dense, sparse = measured
    assert dense.norms.keys() == sparse.norms.keys()
    assert dense.norms["global_gradient_norm"] > 0
    for name, norm in dense.norms.items():
        torch.testing.assert_close(sparse.norms[name], norm)
    assert dense.histograms.keys() == sparse.histograms.keys()
    for name, counted in dense.histograms.items():
        assert torch.equal(sparse.histograms[name]["counts"], counted["counts"])
        torch.testing.assert_close(sparse.histograms[name]["moments"], counted["moments"])
