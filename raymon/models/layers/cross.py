"""Cross layers: Wang et al., Deep & Cross Network, 2017 (arXiv:1708.05123), and DCN V2, 2021."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CrossNet(nn.Module):
    """Cross layers of vectors: `x_{l+1} = x_0 (w_l . x_l) + b_l + x_l` (2017, equation 3).

    Args:
        features: Length of the inputs and of the outputs.
        layers: Number of layers.
    """

    def __init__(self, features: int, layers: int) -> None:
        super().__init__()
        weights = [nn.Linear(features, 1, bias=False) for _ in range(layers)]
        for layer in weights:
            nn.init.xavier_uniform_(layer.weight)
        self.weights = nn.ModuleList(weights)
        self.biases = nn.ParameterList(torch.zeros(features) for _ in range(layers))

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the outputs `[B, features]` of inputs `[B, features]`."""
        outputs = inputs
        for weight, bias in zip(self.weights, self.biases, strict=True):
            outputs = inputs * weight(outputs) + bias + outputs
        return outputs


class LowRankCrossNet(nn.Module):
    """Cross layers of matrices of low rank (2021, equation 2).

    `x_{l+1} = x_0 * (U_l (V_l' x_l) + b_l) + x_l`, where `*` is elementwise and `U_l` and `V_l` are
    as wide as the rank.

    Args:
        features: Length of the inputs and of the outputs.
        layers: Number of layers.
        rank: Rank of the matrices.
    """

    def __init__(self, features: int, layers: int, rank: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(features, rank, bias=False), nn.Linear(rank, features))
            for _ in range(layers)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the outputs `[B, features]` of inputs `[B, features]`."""
        outputs = inputs
        for layer in self.layers:
            outputs = inputs * layer(outputs) + outputs
        return outputs
