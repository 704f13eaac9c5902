"""Mask blocks: Wang et al., MaskNet, 2021 (arXiv:2102.07619)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.models.layers.mlp import MLP
from raymon.protos import layers_pb2


class MaskBlock(nn.Module):
    """Inputs times a mask that is made of the features, through a layer with normalization.

    The mask is `W2 relu(W1 v + b1) + b2` of the features v (section 3.1); the output is
    `relu(LN(W (mask * inputs) + b))` (sections 3.2 and 3.3).

    Args:
        in_features: Length of the inputs, which the mask has too.
        mask_features: Length of the features that the mask is made of.
        config: Config of the block.
    """

    def __init__(self, in_features: int, mask_features: int, config: layers_pb2.MaskBlock) -> None:
        super().__init__()
        if config.HasField("aggregation_dim") and not config.HasField("reduction_ratio"):
            aggregation = config.aggregation_dim
        else:
            aggregation = max(1, int(in_features * config.reduction_ratio))
        self.mask = nn.Sequential(
            nn.Linear(mask_features, aggregation), nn.ReLU(), nn.Linear(aggregation, in_features)
        )
        self.hidden = nn.Sequential(
            nn.Linear(in_features, config.hidden_dim), nn.LayerNorm(config.hidden_dim), nn.ReLU()
        )

    def forward(self, inputs: Tensor, features: Tensor) -> Tensor:
        """Returns the outputs, `[B, hidden_dim]`.

        Args:
            inputs: Inputs, `[B, in_features]`.
            features: Features that the mask is made of, `[B, mask_features]`.
        """
        outputs: Tensor = self.hidden(inputs * self.mask(features))
        return outputs


class MaskNetModule(nn.Module):
    """Mask blocks side by side or one after another, and an MLP if there is one.

    Every mask is made of the features as they are; what is masked first are the features after a
    layer normalization, which blocks that are side by side share.

    Args:
        in_features: Length of the features.
        config: Config of the blocks.

    Attributes:
        out_features: Length of an output.
    """

    def __init__(self, in_features: int, config: layers_pb2.MaskNetModule) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(in_features)
        self._is_parallel = config.use_parallel
        hidden, count = config.mask_block.hidden_dim, config.n_mask_blocks
        self.blocks = nn.ModuleList(
            MaskBlock(
                in_features if self._is_parallel or not index else hidden,
                in_features,
                config.mask_block,
            )
            for index in range(count)
        )
        self.out_features = hidden * count if self._is_parallel else hidden
        self.top: MLP | None = None
        if config.HasField("top_mlp"):
            self.top = MLP(self.out_features, config.top_mlp)
            self.out_features = self.top.out_features

    def forward(self, features: Tensor) -> Tensor:
        """Returns the outputs `[B, out_features]` of features `[B, in_features]`."""
        hidden = self.norm(features)
        if self._is_parallel:
            hidden = torch.cat([block(hidden, features) for block in self.blocks], dim=1)
        else:
            for block in self.blocks:
                hidden = block(hidden, features)
        outputs: Tensor = hidden if self.top is None else self.top(hidden)
        return outputs
