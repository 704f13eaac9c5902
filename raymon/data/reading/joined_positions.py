"""Joins the positions of several parts of rows, in given memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from raymon.data.batch import Positions
from raymon.data.reading.joined_ids import Cut, join_ids, joined_nbytes, whole_words


def positions_nbytes(parts: Sequence[Positions]) -> int:
    """Returns the bytes that `join_positions` cuts for these parts."""
    ids = [part.ids for part in parts if part.ids is not None]
    numbers = sum(part.numbers.nbytes for part in parts if part.numbers is not None)
    offsets = sum(part.offsets.nbytes for part in parts)
    return offsets + whole_words(numbers) + joined_nbytes(ids)


def join_positions(parts: Sequence[Positions], cut: Cut) -> Positions:
    """Returns the positions of several parts of rows, in their order, on the CPU.

    Args:
        parts: Positions of each part.
        cut: Gives the memory of the result.
    """
    offsets, first, row = cut(sum(len(part.offsets) for part in parts), torch.int64), 0, 0
    for part in parts:
        own = part.offsets.numpy()
        np.add(own, first, out=offsets.numpy()[row : row + len(own)])
        first += part.count
        row += len(own)
    longest = max(part.longest for part in parts)
    numbers = [part.numbers for part in parts if part.numbers is not None]
    if numbers:
        width = numbers[0].shape[1]
        joined = cut(first * width, torch.float32).view(first, width)
        np.concatenate([each.numpy() for each in numbers], 0, joined.numpy())
        return Positions(offsets, longest, numbers=joined)
    ids = join_ids([part.ids for part in parts if part.ids is not None], cut)
    return Positions(offsets, longest, ids)
