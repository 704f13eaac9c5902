"""A step of the optimizers: which gradients it uses, and when it is skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from google.protobuf import text_format

from raymon.models import Model
from raymon.protos.train_pb2 import TrainConfig
from raymon.storage import storage_path
from raymon.training.checkpoint.manifest import TRAINER, checkpoint_path, read_part
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.optimizers import Optimizers, build_optimizers
from raymon.training.rank.worker_context import WorkerContext
from tests.models.pipelines import batch_of, model_of, pipeline
from tests.training.rank_process import RankRun
from tests.training.test_run_in_process import run
from tests.training.ways_of_tables import WAYS

CPU = torch.device("cpu")
ADAM = """sparse_optimizer { adam_optimizer { lr: 0.1 } }
  dense_optimizer { adam_optimizer { lr: 0.1 } }"""
FP16 = 'mixed_precision: "FP16"'


def steps_of(text: str) -> tuple[TrainStep, Model, Optimizers]:
    config, model = text_format.Parse(text, TrainConfig()), model_of(pipeline())
    optimizers = build_optimizers(config, model)
    context = WorkerContext(0, 1, CPU, RankRun())
    return TrainStep(config, model, optimizers, context), model, optimizers


def weights(model: Model) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[str]:
    return [name for name in one if torch.equal(one[name], other[name])]


def backward(step: TrainStep, seed: int = 0, size: int = 8) -> None:
    step.backward(batch_of(size, seed), group_rows=size, group=1, last=True)
    step.unscale()


def test_a_total_of_the_model_is_trained_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    step, model, _ = steps_of(ADAM)
    backward(step)
    expected = [p.grad.clone() for p in model.dense_parameters() if p.grad is not None]
    step, model, _ = steps_of(ADAM)
    loss = model.loss

    def with_total(predictions: Any, batch: Any) -> dict[str, torch.Tensor]:
        parts = loss(predictions, batch)
        total = sum(parts.values(), torch.tensor(0.0))
        return {**parts, "total_loss": 3 * total}

    monkeypatch.setattr(model, "loss", with_total)
    backward(step)
    found = [p.grad for p in model.dense_parameters() if p.grad is not None]
    assert expected
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, 3 * other)


def test_a_scale_that_is_too_large_makes_no_step_of_any_parameter_and_the_next_one_does() -> None:
    scaler = "grad_scaler { init_scale: 1e38 backoff_factor: 1e-36 }"
    step, model, optimizers = steps_of(f"{ADAM} {FP16} {scaler}")
    before = weights(model)
    backward(step)
    assert not step.update()
    assert same(weights(model), before) == list(before)
    optimizers.tables.settle()
    assert not any(table.gradient.any() for table in optimizers.tables.tables)
    backward(step)
    assert step.update()
    assert same(weights(model), before) == []


@pytest.mark.parametrize("of_tables", [True, False])
def test_one_gradient_that_is_not_finite_stops_tables_and_dense_parameters_alike(
    of_tables: bool,
) -> None:
    step, model, _ = steps_of(f"{ADAM} {FP16} grad_scaler {{ init_scale: 8 }}")
    before = weights(model)
    step.backward(batch_of(8), group_rows=8, group=1, last=True)
    chosen = model.sparse_parameters() if of_tables else model.dense_parameters()
    gradient = chosen[0].grad
    assert gradient is not None
    gradient.flatten()[0] = float("inf")
    step.unscale()
    assert not step.update()
    assert same(weights(model), before) == list(before)


def test_norms_are_clipped_over_all_dense_parameters_and_no_table() -> None:
    clipping = "grad_clipping { clipping_type: 'norm' max_gradient: 1e-3 }"
    sgd = "sparse_optimizer { sgd_optimizer { lr: 1 } } dense_optimizer { sgd_optimizer { lr: 1 } }"
    moves = []
    for text in (sgd, f"{sgd} {clipping}"):
        step, model, _ = steps_of(text)
        before = weights(model)
        backward(step)
        step.update()
        moves.append({name: weights(model)[name] - before[name] for name in before})
    plain, clipped = moves
    dense = [name for name in plain if ".tables." not in name]
    norm = torch.linalg.vector_norm(torch.cat([plain[name].flatten() for name in dense]))
    assert norm > 1e-3
    for name, move in clipped.items():
        expected = plain[name] * (1e-3 / norm) if name in dense else plain[name]
        torch.testing.assert_close(move, expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("precision", ["", f"{FP16} grad_scaler {{ init_scale: 4096 }}"])
def test_gradients_of_embeddings_are_clipped_at_their_true_size(precision: str) -> None:
    text = f"""dense_optimizer {{ adam_optimizer {{}} }} {precision} sparse_optimizer {{
      sgd_optimizer {{ lr: 1 gradient_clipping: true max_gradient: 1e-5 }} }}"""
    step, model, _ = steps_of(text)
    (name,) = [n for n, _ in model.named_parameters() if "t_user" in n]
    before, batch = weights(model)[name], batch_of(8)
    backward(step)
    step.update()
    counts = torch.bincount(batch.sparse["user"].values, minlength=len(before))
    moves = (weights(model)[name] - before).abs().amax(1)
    # Some number of every row is above the limit, which each of its gradients is clipped to.
    once = moves[counts == 1]
    torch.testing.assert_close(once, torch.full_like(once, 1e-5), rtol=1e-2, atol=0)
    assert not moves[counts == 0].any()


def test_schedules_count_the_steps_of_the_run_and_not_those_of_the_optimizers(
    config_file: Path,
) -> None:
    directory, _ = run(
        config_file, "a", "train_config.num_steps=6", "train_config.save_checkpoints_steps=6",
        "train_config.gradient_accumulation_steps=3",
    )  # fmt: skip
    trainer = read_part(checkpoint_path(storage_path(str(directory)), 6), TRAINER, CPU)
    assert [schedule["count"] for schedule in trainer["schedules"]] == [6, 6]
    steps = {name: value for name, value in trainer["small"].items() if name.endswith("/step")}
    assert {float(value) for value in steps.values()} == {2.0}


KINDS = {
    "adam": "adam_optimizer { lr: 0.1 weight_decay: 0.01 }",
    "clipped adagrad": "adagrad_optimizer { lr: 0.1 gradient_clipping: true max_gradient: 0.001 }",
    "row-wise": "rowwise_adagrad_optimizer { lr: 0.1 weight_decay: 0.1 weight_decay_mode: L2 }",
    "sgd": "sgd_optimizer { lr: 0.1 }",
}


@pytest.mark.parametrize("precision", ["", 'mixed_precision: "BF16"', FP16])
@pytest.mark.parametrize("kind", KINDS)
def test_how_the_gradients_of_a_table_are_kept_changes_no_step(
    monkeypatch: pytest.MonkeyPatch, kind: str, precision: str
) -> None:
    text = f"sparse_optimizer {{ {KINDS[kind]} }} dense_optimizer {{ adam_optimizer {{}} }}"
    trained = []
    for of in WAYS.values():
        of(monkeypatch)
        torch.manual_seed(0)
        step, model, _ = steps_of(f"{text} {precision}")
        for seed in range(6):
            last = seed % 2 == 1
            step.backward(batch_of(8, seed), group_rows=16, group=2, last=last)
            if last:
                step.unscale()
                assert step.update()
        trained.append(weights(model))
    for other in trained[1:]:
        for name, weight in trained[0].items():
            torch.testing.assert_close(other[name], weight, rtol=1e-5, atol=1e-7)
