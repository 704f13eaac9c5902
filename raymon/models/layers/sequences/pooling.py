"""The sum or the mean of the positions of a row."""

from __future__ import annotations

from torch import Tensor

from raymon.models.layers.sequences.encoder import Encoder
from raymon.models.layers.sequences.sequence_inputs import SequenceInputs


class Pooling(Encoder):
    """The sum or the mean of the positions of a row; zeros without any.

    Args:
        sequence_dim: Length of a position.
        averages: Whether it is the mean.
        max_seq_length: How many of the first positions of a row count; 0 for all.
    """

    def __init__(self, sequence_dim: int, averages: bool, max_seq_length: int = 0) -> None:
        super().__init__(sequence_dim)
        self.averages = averages
        self.max_seq_length = max_seq_length

    def forward(self, inputs: SequenceInputs) -> Tensor:
        """Returns the sums or means, `[B, sequence_dim]`."""
        sequence, kept = inputs.sequence, inputs.first(self.max_seq_length)
        if kept is not None:
            sequence = sequence * kept.unsqueeze(1)
        sums = inputs.sums(sequence)
        if self.averages:
            sums = sums / inputs.counts(self.max_seq_length).unsqueeze(1)
        return sums
