"""Every model that ships trains in BF16 and FP16, with replicated and with sharded tables."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from google.protobuf import text_format

from raymon.models.registry import MODELS
from raymon.training.loop.build_model import build_worker_model
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.rank.worker_context import WorkerContext
from tests.models.pipelines import DEEPFM, DLRM, batch_of, features_of, pipeline
from tests.models.rank_models import RANK_MODELS
from tests.training.rank_process import RankRun

SHAPES = {
    "dlrm": DLRM,
    "dlrm_without_numbers": """
      feature_groups { group_name: "sparse" feature_names: ["user", "tags.all", "tag"]
        group_type: DEEP }
      dlrm { final { hidden_units: [16] } }""",
    "deepfm": DEEPFM,
    "deepfm_without_final": DEEPFM.replace("final { hidden_units: [8] }", ""),
    **RANK_MODELS,
}
ROWS = 64


def moves(shape: str, engine: str, precision: str) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Returns the loss of a step, and by how much it moves every parameter, tables included."""
    config = pipeline(SHAPES[shape])
    text = f"""embedding_tables: {engine} {precision} grad_scaler {{ init_scale: 256 }}
      sparse_optimizer {{ sgd_optimizer {{ lr: 1 }} }}
      dense_optimizer {{ sgd_optimizer {{ lr: 1 }} }}"""
    text_format.Merge(text, config.train_config)
    context = WorkerContext(0, 1, torch.device("cpu"), RankRun())
    torch.manual_seed(0)
    model = build_worker_model(config, features_of(config), context)
    assert (model.sharded is not None) == (engine == "SHARDED")
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    for path, shards in {} if model.sharded is None else model.sharded.tables.items():
        weights[path] = shards.shards[0].values
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    before = {name: weight.clone() for name, weight in weights.items()}
    optimizers = build_optimizers(config.train_config, model)
    step = TrainStep(config.train_config, model, optimizers, context)
    output = step.backward(batch_of(ROWS), group_rows=ROWS, group=1, last=True)
    step.unscale()
    assert step.update()
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    loss = torch.stack(list(output.losses.values())).sum()
    assert {value.dtype for value in output.predictions.values()} == {torch.float32}
    return loss, {name: weight - before[name] for name, weight in weights.items()}


def test_all_rank_models_are_here() -> None:
    kinds = {pipeline(text).model_config.WhichOneof("model") for text in SHAPES.values()}
    assert kinds >= {
        kind for kind, model in MODELS.items() if model.__module__.startswith("raymon.models.rank.")
    }


@pytest.mark.parametrize(
    ("shape", "engine", "precision"),
    product(SHAPES, ("REPLICATED", "SHARDED"), ("BF16", "FP16")),
)
def test_half_precision_moves_parameters_nearly_as_float32_does(
    shape: str, engine: str, precision: str
) -> None:
    exact_loss, exact = moves(shape, engine, "")
    loss, found = moves(shape, engine, f'mixed_precision: "{precision}"')
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, exact_loss, rtol=0.01, atol=0)
    assert found.keys() == exact.keys()
    for name, move in found.items():
        assert exact[name].any(), name
        assert move.isfinite().all(), name
        # BF16 has 8 bits of precision, and a ReLU near 0 may fall on its other side.
        error = torch.linalg.vector_norm(move - exact[name])
        assert error <= 0.15 * torch.linalg.vector_norm(exact[name]), name
