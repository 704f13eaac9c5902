"""A batch and its negatives as one batch, so that all are looked up in shared tables at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import torch
from torch import Tensor

from raymon.data import Batch, IdList, Positions


def joined_rows(batch: Batch, features: Collection[str]) -> Batch:
    """Returns the rows of a batch, then its negatives, which have no features of users.

    Args:
        batch: The batch.
        features: Names of the features that are wanted.

    Returns:
        The batch itself if it has no candidates; else `[B + N + H]` rows of the features, with
        zeros, or no ids, where a negative has none.
    """
    if batch.candidates is None:
        return batch
    items = batch.candidates.items
    more = items.size - batch.size
    dense, sparse = {**batch.dense, **items.dense}, {**batch.sparse, **items.sparse}
    return Batch(
        size=items.size,
        dense={
            name: numbers if name in items.dense else _padded(numbers, more)
            for name, numbers in dense.items()
            if name in features
        },
        sparse={
            name: ids if name in items.sparse else _with_empty_rows(ids, batch.size, more)
            for name, ids in sparse.items()
            if name in features
        },
        sequences={
            name: positions if name in items.sequences else _without_more(positions, more)
            for name, positions in {**batch.sequences, **items.sequences}.items()
            if name in features
        },
    )


def _padded(numbers: Tensor, rows: int) -> Tensor:
    return torch.nn.functional.pad(numbers, (0, 0, 0, rows))


def _with_empty_rows(ids: IdList, rows: int, more: int) -> IdList:
    offsets = ids.offsets
    if offsets is None:
        offsets = torch.arange(rows, device=ids.values.device)
    ends = offsets.new_full((more,), ids.values.shape[0])
    return IdList(ids.values, torch.cat([offsets, ends]), ids.weights)


def _without_more(positions: Positions, more: int) -> Positions:
    ends = positions.offsets.new_full((more,), positions.count)
    return replace(positions, offsets=torch.cat([positions.offsets, ends]))
