"""Attention of positions among each other: Vaswani et al., Attention Is All You Need, 2017."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.models.layers.sequences.encoder import Encoder
from raymon.models.layers.sequences.sequence_inputs import SequenceInputs


class SelfAttention(Encoder):
    """The mean over the positions of a row of what each takes from all of them, in several heads.

    Positions are mapped linearly to queries, keys and values, of which multi-head attention
    (section 3.2.2 of the paper) is taken. A row without positions gives zeros.

    Args:
        sequence_dim: Length of a position.
        dim: Length of an output, a multiple of `heads`.
        heads: Number of heads.
        dropout: Share of the weights that dropout sets to 0.
        max_seq_length: How many of the first positions of a row count; 0 for all.
    """

    def __init__(
        self,
        sequence_dim: int,
        dim: int,
        heads: int,
        dropout: float = 0.0,
        max_seq_length: int = 0,
    ) -> None:
        super().__init__(dim)
        self.max_seq_length = max_seq_length
        self.query = nn.Linear(sequence_dim, dim)
        self.key = nn.Linear(sequence_dim, dim)
        self.value = nn.Linear(sequence_dim, dim)
        self.heads, self.head_dim = heads, dim // heads
        self.inner = nn.ModuleList(nn.Linear(dim, dim) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(dim, dim)

    def forward(self, inputs: SequenceInputs) -> Tensor:
        """Returns the means, `[B, dim]`."""
        padded, there = inputs.padded(self.max_seq_length)
        # Of a row without positions the first one counts, as a softmax over nothing is no number.
        first = torch.arange(padded.shape[1], device=padded.device) == 0
        layers = zip((self.query, self.key, self.value), self.inner, strict=True)
        query, key, value = (self._of_heads(inner(layer(padded))) for layer, inner in layers)
        scores = (query @ key.transpose(2, 3)).float() / self.head_dim**0.5
        scores = scores.masked_fill(~(there | first)[:, None, None], -torch.inf)
        found = self.dropout(scores.softmax(3)).to(value.dtype) @ value
        taken = self.output(found.transpose(1, 2).flatten(2)).float()
        sums: Tensor = (taken * there.unsqueeze(2)).sum(1)
        return sums / inputs.counts(self.max_seq_length).unsqueeze(1)

    def _of_heads(self, vectors: Tensor) -> Tensor:
        """Returns the part of each head, `[B, H, L, D]`, of vectors `[B, L, dim]`."""
        rows, length, _ = vectors.shape
        return vectors.view(rows, length, self.heads, self.head_dim).transpose(1, 2)
