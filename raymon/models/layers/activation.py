"""Activations by their names in a config."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.config import DICE, parse_activation
from raymon.models.layers.batch_norm import BatchNorm


class Dice(nn.Module):
    """The adaptive activation of DIN: Zhou et al., 2018 (arXiv:1706.06978), equation 3.

    `p x + (1 - p) alpha x` with `p` the sigmoid of x after batch normalization, whose scale and
    shift are learnt as well. It begins with alpha 0. A batch of fewer than two rows is normalized
    by the running statistics.

    Args:
        features: Length of an input.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm = BatchNorm(features)
        self.alpha = nn.Parameter(torch.zeros(features))

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the outputs of inputs `[B, features]`."""
        share: Tensor = self.norm(inputs).sigmoid()
        return inputs * (share + (1 - share) * self.alpha)


def make_activation(text: str, features: int) -> nn.Module | None:
    """Returns the activation that a config names; None if the text is empty.

    Args:
        text: Name, as `raymon.config.activations` takes it.
        features: Length of its inputs.
    """
    if not text.strip():
        return None
    activation = parse_activation(text)
    assert activation is not None, "the config has been checked"
    if activation.name == DICE:
        return Dice(features)
    module: nn.Module = getattr(nn, activation.name)(**activation.arguments)
    return module
