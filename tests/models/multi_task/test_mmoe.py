from __future__ import annotations

import pytest
import torch

from tests.models.multi_task.towers import (
    TOWERS,
    batch,
    built,
    check_towers,
    inputs_of,
    layers,
    linear,
)


@pytest.mark.parametrize("gate", ["", "gate_mlp { hidden_units: [3] }"])
def test_a_task_takes_the_mixture_that_its_gate_makes_of_the_experts(gate: str) -> None:
    text = f"mmoe {{ expert_mlp {{ hidden_units: [8, 7] }} num_expert: 4 {gate} {TOWERS} }}"
    model, rows = built(text), batch()
    x, mixture = inputs_of(model, rows), model.mixture
    experts = torch.stack([layers(expert, x) for expert in mixture.experts])
    assert experts.shape == (4, 9, 7)
    hidden = []
    for each in mixture.gates:
        scores = linear(each.scores, layers(each.mlp, x) if gate else x)
        shares = scores.exp() / scores.exp().sum(1, keepdim=True)
        hidden.append(sum(shares[:, i : i + 1] * experts[i] for i in range(4)))
    check_towers(model, rows, hidden)
