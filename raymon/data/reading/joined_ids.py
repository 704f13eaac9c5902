"""Joins the ids of several parts of rows, in given memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raymon.data.batch import IdList

_WORD = 8

Cut = Callable[[int, torch.dtype], Tensor]
"""A function that gives memory for some values of a type, as a tensor `[N]`."""


class Cuts:
    """Tensors that are cut from one memory, one after the other.

    Args:
        memory: The memory, uint8.
        begin: Byte at which the first tensor begins, a multiple of 8.
    """

    def __init__(self, memory: Tensor, begin: int) -> None:
        self._memory = memory
        self._begin = begin

    def cut(self, count: int, dtype: torch.dtype) -> Tensor:
        """Returns the next `count` values of a type, of at most 8 bytes each."""
        begin, end = self._begin, self._begin + count * dtype.itemsize
        self._begin = whole_words(end)
        return self._memory[begin:end].view(dtype)


def whole_words(nbytes: int) -> int:
    """Returns the bytes of the whole words of 8 bytes that have as many bytes."""
    return -(-nbytes // _WORD) * _WORD


def joined_nbytes(parts: Sequence[IdList]) -> int:
    """Returns the bytes that `join_ids` cuts for these parts."""
    values = sum(len(part.values) for part in parts)
    offsets = sum(map(_rows, parts)) if _has_offsets(parts) else 0
    weights = values if _has_weights(parts) else 0
    return 8 * (values + offsets) + whole_words(4 * weights)


def join_ids(parts: Sequence[IdList], cut: Cut) -> IdList:
    """Returns the ids of several parts of rows, in their order, on the CPU.

    Args:
        parts: Ids of each part.
        cut: Gives the memory of the result.
    """
    count = sum(len(part.values) for part in parts)
    values = cut(count, torch.int64)
    np.concatenate([part.values.numpy() for part in parts], 0, values.numpy())
    offsets = weights = None
    if _has_offsets(parts):
        offsets, first, row = cut(sum(map(_rows, parts)), torch.int64), 0, 0
        for part in parts:
            own = np.arange(len(part.values)) if part.offsets is None else part.offsets.numpy()
            np.add(own, first, out=offsets.numpy()[row : row + len(own)])
            first += len(part.values)
            row += len(own)
    if _has_weights(parts):
        weights = cut(count, torch.float32)
        np.concatenate([_weights(part) for part in parts], 0, weights.numpy())
    return IdList(values, offsets, weights)


def _has_offsets(parts: Sequence[IdList]) -> bool:
    return any(part.offsets is not None for part in parts)


def _has_weights(parts: Sequence[IdList]) -> bool:
    return any(part.weights is not None for part in parts)


def _rows(part: IdList) -> int:
    return len(part.values if part.offsets is None else part.offsets)


def _weights(ids: IdList) -> npt.NDArray[np.float32]:
    if ids.weights is None:
        return np.ones(len(ids.values), np.float32)
    weights: npt.NDArray[np.float32] = ids.weights.numpy()
    return weights
