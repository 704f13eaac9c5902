"""Experts and the gates that mix them.

Ma et al., Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts,
2018.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from raymon.models.layers.mlp import MLP
from raymon.protos import layers_pb2


class Gate(nn.Module):
    """A mixture of experts: their sum, weighted by softmax of a linear map of the input.

    Args:
        in_features: Length of the input of the gate.
        num_expert: Number of experts.
        mlp: Layers before the linear map; None for none.
    """

    def __init__(
        self, in_features: int, num_expert: int, mlp: layers_pb2.MLP | None = None
    ) -> None:
        super().__init__()
        self.mlp = None if mlp is None else MLP(in_features, mlp)
        width = in_features if self.mlp is None else self.mlp.out_features
        self.scores = nn.Linear(width, num_expert)

    def forward(self, inputs: Tensor, experts: Sequence[Tensor]) -> Tensor:
        """Returns the mixture, `[B, D]`.

        Args:
            inputs: Input of the gate, `[B, in_features]`.
            experts: Output of each expert, `[B, D]`.
        """
        hidden = inputs if self.mlp is None else self.mlp(inputs)
        weights = self.scores(hidden).softmax(1)
        stacked = torch.stack(list(experts), 1)
        mixture: Tensor = (weights.unsqueeze(2).to(stacked.dtype) * stacked).sum(1)
        return mixture


class MixtureOfExperts(nn.Module):
    """Experts over one input, and a gate over it for each task (equations 6 and 7).

    Args:
        in_features: Length of the input.
        num_task: Number of tasks.
        num_expert: Number of experts.
        expert_mlp: Layers of each expert.
        gate_mlp: Layers of each gate before its linear map; None for none.

    Attributes:
        out_features: Length of the output for each task.
    """

    def __init__(
        self,
        in_features: int,
        num_task: int,
        num_expert: int,
        expert_mlp: layers_pb2.MLP,
        gate_mlp: layers_pb2.MLP | None = None,
    ) -> None:
        super().__init__()
        self.experts = nn.ModuleList(MLP(in_features, expert_mlp) for _ in range(num_expert))
        self.gates = nn.ModuleList(Gate(in_features, num_expert, gate_mlp) for _ in range(num_task))
        self.out_features = expert_mlp.hidden_units[-1]

    def forward(self, inputs: Tensor) -> list[Tensor]:
        """Returns the mixture for each task, `[B, out_features]`, of inputs `[B, in_features]`."""
        experts = [expert(inputs) for expert in self.experts]
        return [gate(inputs, experts) for gate in self.gates]
