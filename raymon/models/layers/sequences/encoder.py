"""What an encoder of sequences is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from raymon.models.layers.sequences.sequence_inputs import SequenceInputs


class Encoder(nn.Module, ABC):
    """A module that makes one vector of the positions of each row.

    Args:
        out_features: Length of the vector.
    """

    def __init__(self, out_features: int) -> None:
        super().__init__()
        self.out_features = out_features

    @abstractmethod
    def forward(self, inputs: SequenceInputs) -> Tensor:
        """Returns the vectors, `[B, out_features]`."""
