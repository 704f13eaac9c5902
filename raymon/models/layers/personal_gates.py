"""Gates that are made of what a row is like.

Chang et al., PEPNet: Parameter and Embedding Personalized Network for Infusing with Personalized
Prior Information, 2023.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.models.layers.mlp import MLP
from raymon.protos import layers_pb2


class GateNU(nn.Module):
    """gamma * sigmoid(W2 relu(W1 x + b1) + b2) of the inputs x (equations 1 and 2).

    Args:
        in_features: Length of an input.
        hidden: Size of the hidden layer.
        out_features: Length of an output.
        gamma: The largest factor.
    """

    def __init__(self, in_features: int, hidden: int, out_features: int, gamma: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(in_features, hidden), nn.ReLU(), nn.Linear(hidden, out_features), nn.Sigmoid()
        )
        self._gamma = gamma

    def forward(self, prior: Tensor, shared: Tensor) -> Tensor:
        """Returns the factors, `[B, out_features]`.

        Args:
            prior: What the gate is for, `[B, P]`.
            shared: Inputs of the layer that it gates, `[B, D]`; it does not train them.
        """
        factors: Tensor = self._gamma * self.layers(torch.cat([prior, shared.detach()], 1))
        return factors


class GatedLayers(nn.Module):
    """The layers of one task, the output of each times a gate (equation 5).

    Args:
        in_features: Length of an input.
        prior_features: Length of what the gates are made of, beside the inputs.
        config: The layers.
        gamma: The largest factor of a gate.
    """

    def __init__(
        self, in_features: int, prior_features: int, config: layers_pb2.MLP, gamma: float
    ) -> None:
        super().__init__()
        self.layers, self.gates, self.dropouts = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        ratios = list(config.dropout_ratio) or [0.0]
        ratios *= len(config.hidden_units) if len(ratios) == 1 else 1
        width = in_features
        for units, ratio in zip(config.hidden_units, ratios, strict=True):
            one = layers_pb2.MLP(hidden_units=[units], activation=config.activation)
            self.layers.append(MLP(width, one))
            self.gates.append(GateNU(in_features + prior_features, units, units, gamma))
            self.dropouts.append(nn.Dropout(ratio))
            width = units

    def forward(self, inputs: Tensor, prior: Tensor) -> Tensor:
        """Returns the outputs of the last layer, `[B, units]`.

        Args:
            inputs: Inputs, `[B, in_features]`.
            prior: What the gates are made of, `[B, prior_features]`.
        """
        hidden = inputs
        for layer, gate, dropout in zip(self.layers, self.gates, self.dropouts, strict=True):
            hidden = dropout(layer(hidden) * gate(prior, inputs))
        return hidden
