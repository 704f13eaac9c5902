"""The inputs of an encoder: the positions of a sequence, and the query that is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass
class SequenceInputs:
    """The positions of the rows of a batch, one row after the other, without padding.

    Attributes:
        query: What is asked of each row, `[B, query_dim]`; query_dim may be 0.
        sequence: The positions of all rows, `[P, sequence_dim]`.
        offsets: Index of the first position of each row, int64 `[B]`.
        longest: Positions of the row that has the most, known to the host.
    """

    query: Tensor
    sequence: Tensor
    offsets: Tensor
    longest: int

    @property
    def size(self) -> int:
        """Number of rows, B."""
        return self.offsets.shape[0]

    @cached_property
    def lengths(self) -> Tensor:
        """Positions of each row, int64 `[B]`."""
        # Filled on the device: a copy of the number would wait.
        end = self.offsets.new_full((1,), self.sequence.shape[0])
        bounds = torch.cat([self.offsets, end])
        return bounds[1:] - bounds[:-1]

    @cached_property
    def rows(self) -> Tensor:
        """Row of each position, int64 `[P]`."""
        each = torch.arange(self.size, device=self.offsets.device)
        # Without the size it would wait for the device to find it.
        return each.repeat_interleave(self.lengths, output_size=self.sequence.shape[0])

    @cached_property
    def places(self) -> Tensor:
        """Index of each position in its row, int64 `[P]`."""
        every = torch.arange(self.sequence.shape[0], device=self.offsets.device)
        return every - self.offsets.index_select(0, self.rows)

    def first(self, most: int) -> Tensor | None:
        """Returns which positions are among the first of their row, bool `[P]`.

        Args:
            most: How many are; 0 for all, of which None is returned.
        """
        return self.places < most if most else None

    def counts(self, most: int) -> Tensor:
        """Returns how many positions of each row are among the first, at least 1, int64 `[B]`.

        Args:
            most: How many are; 0 for all.
        """
        lengths = self.lengths.clamp_min(1)
        return lengths.clamp_max(most) if most else lengths

    def queries(self, dim: int) -> Tensor:
        """Returns the query of each position, `[P, dim]`, with zeros up to that length."""
        query = F.pad(self.query, (0, dim - self.query.shape[1]))
        return query.index_select(0, self.rows)

    def sums(self, of_positions: Tensor) -> Tensor:
        """Returns the sums of vectors `[P, D]` over the positions of each row, `[B, D]`."""
        zeros = of_positions.new_zeros(self.size, of_positions.shape[1])
        return zeros.index_add(0, self.rows, of_positions)

    def softmax(self, scores: Tensor, most: int = 0) -> Tensor:
        """Returns the softmax of scores over the positions of each row, float32 `[P]`.

        Args:
            scores: Scores of the positions, `[P]`.
            most: How many of the first positions of a row count, the others get 0; 0 for all.
        """
        scores = scores.float()
        kept = self.first(most)
        if kept is not None:
            scores = scores.masked_fill(~kept, -torch.inf)
        with torch.no_grad():
            # Without the largest one of a row, e^score may be infinite.
            none = scores.new_zeros(self.size)
            largest = none.scatter_reduce(0, self.rows, scores, "amax", include_self=False)
        powers = (scores - largest.index_select(0, self.rows)).exp()
        sums = powers.new_zeros(self.size).index_add(0, self.rows, powers)
        return powers / sums.index_select(0, self.rows)

    def padded(self, most: int = 0) -> tuple[Tensor, Tensor]:
        """Returns the positions row by row, filled up with zeros.

        Args:
            most: How many of the first positions of a row count; 0 for all.

        Returns:
            The positions, `[B, L, sequence_dim]`, L at least 1, and which of them are there, bool
            `[B, L]`.
        """
        length = max(min(self.longest, most) if most else self.longest, 1)
        place = torch.arange(length, device=self.offsets.device)
        there = place < self.lengths.unsqueeze(1)
        # The zeros are a position of their own, behind all others.
        with_zeros = F.pad(self.sequence, (0, 0, 0, 1))
        at = torch.where(there, self.offsets.unsqueeze(1) + place, self.sequence.shape[0])
        positions = with_zeros.index_select(0, at.flatten())
        return positions.view(self.size, length, self.sequence.shape[1]), there
