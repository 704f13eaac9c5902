from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from raymon.protos.optimizer_pb2 import DenseOptimizer
from raymon.training.optim.schedules import Schedule, build_schedule

BASE = 0.1


def schedule(text: str) -> tuple[Schedule, torch.optim.Optimizer]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    return build_schedule(text_format.Parse(text, DenseOptimizer()), optimizer), optimizer


def rates(text: str, count: int) -> list[float]:
    """Returns the learning rates of the first steps."""
    plan, optimizer = schedule(text)
    seen = []
    for _ in range(count):
        seen.append(optimizer.param_groups[0]["lr"])
        plan.step()
    return seen


def cosine(share: float, low: float = 0.0) -> float:
    return low + (BASE - low) * (1 + math.cos(math.pi * share)) / 2


@pytest.mark.parametrize("text", ["", "constant_learning_rate {}"])
def test_constant(text: str) -> None:
    assert rates(text, 3) == [BASE] * 3


EXPECTED = {
    "exponential_decay_learning_rate { decay_size: 2 decay_factor: 0.5 }": (
        [0.1, 0.1, 0.05, 0.05, 0.025]
    ),
    "exponential_decay_learning_rate { decay_size: 2 decay_factor: 0.25 staircase: false }": (
        [0.1, 0.05, 0.025, 0.0125]
    ),
    "exponential_decay_learning_rate { decay_size: 1 decay_factor: 0.1 min_learning_rate: 0.02 }": (
        [0.1, 0.02, 0.02]
    ),
    """exponential_decay_learning_rate { decay_size: 2 decay_factor: 0.5 warmup_size: 4
       warmup_learning_rate: 0.02 }""": [0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.05],
    "manual_step_learning_rate { schedule_sizes: [2, 3] learning_rates: [0.5, 0.7] }": (
        [0.1, 0.1, 0.1, 0.5, 0.7, 0.7]
    ),
    "manual_step_learning_rate { schedule_sizes: 2 learning_rates: 0.5 warmup: true }": (
        [0.1, 0.3, 0.5, 0.5]
    ),
    "cosine_annealing_learning_rate { T_max: 4 min_learning_rate: 0.01 }": (
        [*(cosine(m / 4, 0.01) for m in range(4)), 0.01, 0.01]
    ),
    "cosine_annealing_learning_rate { T_max: 2 warmup_size: 2 }": [0, 0.05, 0.1, 0.05, 0, 0],
    "cosine_annealing_warm_restarts_learning_rate { T_0: 2 }": [0.1, 0.05, 0.1, 0.05, 0.1],
    "cosine_annealing_warm_restarts_learning_rate { T_0: 2 T_mult: 2 warmup_size: 1 }": (
        [0, 0.1, 0.05, *(cosine(m / 4) for m in range(4)), 0.1]
    ),
}


@pytest.mark.parametrize("text", EXPECTED)
def test_rates_are_those_of_the_formula(text: str) -> None:
    expected = EXPECTED[text]
    assert rates(text, len(expected)) == pytest.approx(expected)


@pytest.mark.parametrize("t_mult", [1, 2, 3])
def test_warm_restarts_are_those_of_torch(t_mult: int) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    peer = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 5, t_mult, 0.01)
    expected = []
    for _ in range(60):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        peer.step()
    text = f"T_0: 5 T_mult: {t_mult} min_learning_rate: 0.01"
    got = rates(f"cosine_annealing_warm_restarts_learning_rate {{ {text} }}", 60)
    assert got == pytest.approx(expected)


def test_by_epoch_counts_epochs_and_not_steps() -> None:
    plan, _ = schedule(
        "exponential_decay_learning_rate { decay_size: 1 decay_factor: 0.5 by_epoch: true }"
    )
    plan.step()
    assert plan.learning_rate == BASE
    plan.end_epoch()
    assert plan.learning_rate == BASE / 2


def test_by_step_does_not_count_epochs() -> None:
    plan, _ = schedule("exponential_decay_learning_rate { decay_size: 1 decay_factor: 0.5 }")
    plan.end_epoch()
    assert plan.learning_rate == BASE


@given(st.sampled_from(sorted(EXPECTED)), st.integers(0, 50))
def test_a_resumed_schedule_goes_on_with_the_same_rates(text: str, steps: int) -> None:
    first, _ = schedule(text)
    for _ in range(steps):
        first.step()
    second, optimizer = schedule(text)
    second.load_state_dict(first.state_dict())
    for _ in range(5):
        assert optimizer.param_groups[0]["lr"] == second.learning_rate == first.learning_rate
        first.step()
        second.step()


def test_the_rate_falls_between_restarts() -> None:
    got = rates("cosine_annealing_learning_rate { T_max: 30 }", 40)
    assert all(low >= high for low, high in pairwise(got))
