from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from google.protobuf import text_format

from raymon.errors import ConfigError
from raymon.models import Model
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.optim.optimizers import Optimizers, build_optimizers, check_parts
from tests.models.pipelines import batch_of, model_of, pipeline

ADAM = "dense_optimizer { adam_optimizer { lr: 0.01 } }"
DECAY = "exponential_decay_learning_rate { decay_size: 1 decay_factor: 0.5 }"


def optimizers_of(text: str, model: Model) -> Optimizers:
    return build_optimizers(text_format.Parse(text, TrainConfig()), model)


def train(model: Model, optimizers: Optimizers, steps: int) -> None:
    for seed in range(steps):
        batch = batch_of(16, seed)
        optimizers.zero_grad()
        model.loss(model(batch), batch)["binary_cross_entropy"].backward()
        optimizers.step()


@pytest.mark.parametrize(
    ("block", "cls", "expected"),
    [
        (
            "sgd_optimizer { lr: 0.5 weight_decay: 0.1 }",
            torch.optim.SGD,
            {"lr": 0.5, "momentum": 0.9, "dampening": 0, "weight_decay": 0.1, "nesterov": False},
        ),
        (
            "sgd_optimizer { momentum: 0.5 dampening: 0.2 }",
            torch.optim.SGD,
            {"lr": 0.002, "momentum": 0.5, "dampening": 0.2, "nesterov": False},
        ),
        ("sgd_optimizer { nesterov: true }", torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        (
            "rmsprop_optimizer { alpha: 0.9 }",
            torch.optim.RMSprop,
            {"lr": 0.002, "alpha": 0.9, "eps": 1e-8, "weight_decay": 0, "momentum": 0},
        ),
        (
            "adadelta_optimizer { rho: 0.8 weight_decay: 0.1 }",
            torch.optim.Adadelta,
            {"lr": 0.002, "rho": 0.8, "eps": 1e-6, "weight_decay": 0.1},
        ),
        (
            "adagrad_optimizer { initial_accumulator_value: 0.1 }",
            torch.optim.Adagrad,
            {"lr": 0.002, "initial_accumulator_value": 0.1, "eps": 1e-10, "weight_decay": 0},
        ),
        (
            "adam_optimizer { beta1: 0.8 }",
            torch.optim.Adam,
            {"lr": 0.002, "betas": (0.8, 0.999), "eps": 1e-8, "weight_decay": 0},
        ),
        (
            "adamw_optimizer {}",
            torch.optim.AdamW,
            {"lr": 0.002, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0},
        ),
    ],
)
def test_a_block_is_an_optimizer_of_torch(
    block: str, cls: type[torch.optim.Optimizer], expected: dict[str, Any]
) -> None:
    optimizers = optimizers_of(f"dense_optimizer {{ {block} }}", model_of(pipeline()))
    for optimizer in optimizers.optimizers:
        assert type(optimizer) is cls
        assert {key: optimizer.param_groups[0][key] for key in expected} == expected


def test_rates_of_tables_come_before_those_of_dense_parameters_and_of_their_parts() -> None:
    model = model_of(pipeline())
    text = """dense_optimizer { adam_optimizer { lr: 0.01 }
        part_optimizers { regex_pattern: "dense_mlp.*" sgd_optimizer { lr: 0.3 } }
        part_optimizers { regex_pattern: ".*bias" adagrad_optimizer { lr: 0.4 } } }
      sparse_optimizer { adagrad_optimizer { lr: 0.5 } }"""
    optimizers = optimizers_of(text, model)
    assert optimizers.learning_rates() == [0.5, 0.01, 0.3, 0.4]
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    got = {
        optimizer.param_groups[0]["lr"]: {names[id(p)] for p in optimizer.param_groups[0]["params"]}
        for optimizer in optimizers.optimizers
    }
    assert got[0.5] == {name for name in names.values() if ".tables." in name}
    assert got[0.3] == {name for name in names.values() if name.startswith("dense_mlp")}
    rest = set(names.values()) - got[0.5] - got[0.3]
    # The first that matches has a parameter, and the whole name has to match.
    assert got[0.4] == {name for name in rest if name.endswith("bias")}
    assert got[0.01] == rest - got[0.4]


def test_a_part_has_its_own_schedule_or_that_of_the_dense_optimizer() -> None:
    text = f"""dense_optimizer {{ adam_optimizer {{ lr: 0.01 }} {DECAY}
        part_optimizers {{ regex_pattern: "dense_mlp.*" sgd_optimizer {{ lr: 0.4 }} }}
        part_optimizers {{ regex_pattern: "final.*" sgd_optimizer {{ lr: 0.4 }}
          constant_learning_rate {{}} }} }}"""
    optimizers = optimizers_of(text, model_of(pipeline()))
    optimizers.step_schedules()
    assert optimizers.learning_rates() == [0.005, 0.005, 0.2, 0.4]


def test_a_part_without_parameters_is_refused() -> None:
    text = """dense_optimizer { adam_optimizer {}
      part_optimizers { regex_pattern: "model.head.*" adam_optimizer {} } }"""
    block = text_format.Parse(text, TrainConfig()).dense_optimizer
    with pytest.raises(ConfigError, match=r'"model.head.\*" matches no dense parameter.*head'):
        check_parts(block, model_of(pipeline()))


def test_a_rate_of_zero_stays_zero_whatever_the_schedule() -> None:
    warmup = DECAY.replace("}", "warmup_size: 2 warmup_learning_rate: 0.1 min_learning_rate: 1 }")
    optimizers = optimizers_of(
        f"dense_optimizer {{ adam_optimizer {{ lr: 0 }} {warmup} }}", model_of(pipeline())
    )
    for _ in range(4):
        assert optimizers.learning_rates() == [0, 0]
        optimizers.step_schedules()


def test_without_a_sparse_block_tables_are_trained_as_the_dense_block_says() -> None:
    optimizers = optimizers_of(ADAM, model_of(pipeline()))
    assert [type(optimizer) for optimizer in optimizers.optimizers] == [torch.optim.Adam] * 2
    assert optimizers.learning_rates() == [0.01, 0.01]


def test_each_optimizer_has_its_schedule() -> None:
    text = f"""dense_optimizer {{ adam_optimizer {{ lr: 0.01 }} {DECAY} }}
      sparse_optimizer {{ sgd_optimizer {{ lr: 1 }} }}"""
    model = model_of(pipeline())
    optimizers = optimizers_of(text, model)
    train(model, optimizers, 2)
    assert optimizers.learning_rates() == [1.0, 0.0025]
    assert [o.param_groups[0]["lr"] for o in optimizers.optimizers] == [0.0025, 1.0]


def test_a_resumed_run_makes_the_same_steps() -> None:
    text = f"dense_optimizer {{ adam_optimizer {{ lr: 0.01 }} {DECAY} }}"
    model = model_of(pipeline())
    optimizers = optimizers_of(text, model)
    train(model, optimizers, 3)
    other = model_of(pipeline(), seed=9)
    other.load_state_dict(model.state_dict())
    resumed = optimizers_of(text, other)
    resumed.load_state_dict(copy.deepcopy(optimizers.state_dict()))
    assert resumed.learning_rates() == optimizers.learning_rates()
    train(model, optimizers, 3)
    train(other, resumed, 3)
    states = model.state_dict()
    assert all(torch.equal(value, states[name]) for name, value in other.state_dict().items())


def test_a_resumed_run_takes_the_rates_of_the_config_that_it_is_given() -> None:
    model = model_of(pipeline())
    saved = optimizers_of(ADAM, model).state_dict()
    resumed = optimizers_of(ADAM.replace("0.01", "0.5"), model)
    resumed.load_state_dict(saved)
    assert [o.param_groups[0]["lr"] for o in resumed.optimizers] == [0.5, 0.5]


def test_a_model_of_which_nothing_is_trained_is_told_by_its_loss_and_not_here() -> None:
    model = model_of(pipeline())
    model.requires_grad_(False)
    config = text_format.Parse("dense_optimizer { adam_optimizer {} }", TrainConfig())
    optimizers = build_optimizers(config, model)
    optimizers.step()
    optimizers.zero_grad()
    assert (optimizers.optimizers, optimizers.learning_rates()) == ((), [])
