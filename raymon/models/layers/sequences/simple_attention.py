"""Attention by products of query and positions."""

from __future__ import annotations

from torch import Tensor

from raymon.models.layers.sequences.encoder import Encoder
from raymon.models.layers.sequences.sequence_inputs import SequenceInputs


class SimpleAttention(Encoder):
    """The mean of the positions of a row, weighted by a softmax of their products with its query.

    A row without positions gives zeros.

    Args:
        sequence_dim: Length of a position, and of a query.
        max_seq_length: How many of the first positions of a row count; 0 for all.
    """

    def __init__(self, sequence_dim: int, max_seq_length: int = 0) -> None:
        super().__init__(sequence_dim)
        self.max_seq_length = max_seq_length

    def forward(self, inputs: SequenceInputs) -> Tensor:
        """Returns the weighted means, `[B, sequence_dim]`."""
        sequence = inputs.sequence
        scores = (inputs.queries(sequence.shape[1]) * sequence).sum(1)
        weights = inputs.softmax(scores, self.max_seq_length)
        return inputs.sums(weights.unsqueeze(1) * sequence)
