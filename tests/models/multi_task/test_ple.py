from __future__ import annotations

import torch
from torch import Tensor, nn

from tests.models.multi_task.towers import (
    TOWERS,
    batch,
    built,
    check_towers,
    inputs_of,
    layers,
    linear,
)

NETWORKS = """
  extraction_networks { network_name: "first" expert_num_per_task: 2 share_num: 3
    task_expert_net { hidden_units: [6, 7] } share_expert_net { hidden_units: [8, 7] } }
  extraction_networks { network_name: "last" expert_num_per_task: 1 share_num: 2
    task_expert_net { hidden_units: 5 } share_expert_net { hidden_units: 5 } }"""


def mixed(gate: nn.Module, x: Tensor, experts: list[Tensor]) -> Tensor:
    assert isinstance(gate.scores, nn.Module)
    shares = linear(gate.scores, x).softmax(1)
    return torch.stack([shares[:, i : i + 1] * e for i, e in enumerate(experts)]).sum(0)


def test_layers_of_experts_are_mixed_as_in_the_paper() -> None:
    model, rows = built(f"ple {{ {NETWORKS} {TOWERS} }}"), batch()
    x = inputs_of(model, rows)
    first, last = model.networks["0_first"], model.networks["1_last"]
    assert [len(first.experts), len(first.experts[0]), len(first.shared_experts)] == [3, 2, 3]
    shared = [layers(expert, x) for expert in first.shared_experts]
    own = [[layers(expert, x) for expert in experts] for experts in first.experts]
    of_tasks = [mixed(first.gates[k], x, [*own[k], *shared]) for k in range(3)]
    of_all = mixed(first.shared_gate, x, [*own[0], *own[1], *own[2], *shared])
    shared = [layers(expert, of_all) for expert in last.shared_experts]
    hidden = []
    for k, tensor in enumerate(of_tasks):
        (expert,) = last.experts[k]
        hidden.append(mixed(last.gates[k], tensor, [layers(expert, tensor), *shared]))
    check_towers(model, rows, hidden)
    assert last.shared_gate is None
