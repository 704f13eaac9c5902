"""A compiled model trains as one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from google.protobuf import text_format

from raymon.errors import TrainingError
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.loop import compiled
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.rank.worker_context import WorkerContext
from tests.models.pipelines import DEEPFM, DLRM, batch_of, model_of, pipeline
from tests.training.rank_process import RankRun
from tests.training.test_run_in_process import run
from tests.training.test_table_health import lines

ADAM = """sparse_optimizer { adam_optimizer { lr: 0.01 } }
  dense_optimizer { adam_optimizer { lr: 0.01 } }"""


@pytest.fixture(autouse=True)
def traced_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces models and their gradients, and runs what was traced without a C++ compiler."""
    monkeypatch.setattr(compiled, "BACKEND", "aot_eager")
    torch._dynamo.reset()


BF16 = 'mixed_precision: "BF16"'


@pytest.mark.parametrize(
    ("model", "precision"),
    [
        (DLRM, ""),
        (DEEPFM, BF16),
        pytest.param(DLRM, BF16, marks=pytest.mark.soak),
        pytest.param(DEEPFM, "", marks=pytest.mark.soak),
    ],
)
def test_losses_and_weights_are_those_of_a_model_as_it_is(model: str, precision: str) -> None:
    runs = []
    for compile_it in ("false", "true"):
        text = f"{ADAM} {precision} compile: {compile_it}"
        config, module = text_format.Parse(text, TrainConfig()), model_of(pipeline(model))
        optimizers = build_optimizers(config, module)
        context = WorkerContext(0, 1, torch.device("cpu"), RankRun())
        step, losses = TrainStep(config, module, optimizers, context), []
        # The last batch of an epoch is smaller, perhaps of one row.
        for seed, size in enumerate((8, 8, 5, 8, 1)):
            output = step.backward(batch_of(size, seed), group_rows=size, group=1, last=True)
            step.unscale()
            step.update()
            losses += [loss.detach() for loss in output.losses.values()]
        runs.append((torch.stack(losses), dict(module.state_dict())))
    (expected, weights), (found, own) = runs
    near = {"rtol": 2e-2, "atol": 2e-2} if precision else {"rtol": 1e-5, "atol": 1e-6}
    torch.testing.assert_close(found, expected, **near)
    for name, weight in weights.items():
        torch.testing.assert_close(own[name], weight, **near)


def test_a_run_that_counts_lookups_is_compiled_too(config_file: Path) -> None:
    plain, _ = run(config_file, "plain")
    other, _ = run(config_file, "compiled", "train_config.compile=true")
    expected, found = lines(plain), lines(other)
    assert len(found) == len(expected) > 0
    for window, as_it_is in zip(found, expected, strict=True):
        assert window["tables"].keys() == as_it_is["tables"].keys()
        assert window["losses"] == pytest.approx(as_it_is["losses"], rel=1e-4)


def test_what_cannot_be_compiled_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "BACKEND", failing)
    config, module = text_format.Parse(f"{ADAM} compile: true", TrainConfig()), model_of(pipeline())
    context = WorkerContext(0, 1, torch.device("cpu"), RankRun())
    step = TrainStep(config, module, build_optimizers(config, module), context)
    with pytest.raises(TrainingError, match="torch cannot compile DLRM"):
        step.backward(batch_of(8), group_rows=8, group=1, last=True)


def failing(graph: object, inputs: object) -> None:
    raise RuntimeError("no compiler is there")
