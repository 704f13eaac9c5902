"""The ids that are looked up together, feature by feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from raymon.data import IdList


@dataclass
class Bags:
    """The ids of some features for the rows of a batch, or of several batches joined.

    Attributes:
        values: Ids of each feature, int64 `[n]`.
        lengths: Number of ids of each row, of each feature, int64 `[B]`. Features of sequences have
            ids for each position, and so for more rows; those of others are followed by empty ones.
        weights: Weights of the ids of each feature, float32 `[n]`; None if the tables take none.
    """

    values: list[Tensor]
    lengths: list[Tensor]
    weights: list[Tensor] | None

    @classmethod
    def of(cls, ids: Sequence[IdList], weighted: bool) -> Bags:
        """Returns the ids of features.

        Args:
            ids: Ids of each feature.
            weighted: Whether the tables take weights; where a feature has none, they are 1.

        Raises:
            ValueError: Ids have weights that the tables do not take.
        """
        if not weighted and any(each.weights is not None for each in ids):
            raise ValueError("ids with weights need an EmbeddingSpec that is weighted")
        return cls(
            [each.values for each in ids],
            _of_one_size(_lengths(ids)),
            [_weights(each) for each in ids] if weighted else None,
        )

    @classmethod
    def joined(cls, parts: Sequence[Bags]) -> Bags:
        """Returns the bags of several batches as those of one, in their order."""
        weights = [part.weights for part in parts if part.weights is not None]
        return cls(
            _cat_each([part.values for part in parts]),
            _cat_each([part.lengths for part in parts]),
            _cat_each(weights) if weights else None,
        )

    @property
    def rows(self) -> int:
        """Number of rows, B: those of the feature that has the most."""
        return len(self.lengths[0])


def rows_of(ids: IdList) -> int:
    """Returns the number of rows, or of positions, of the ids of a feature."""
    return len(ids.values if ids.offsets is None else ids.offsets)


def _of_one_size(lengths: Sequence[Tensor]) -> list[Tensor]:
    most = max(map(len, lengths))
    pad = torch.nn.functional.pad
    return [each if len(each) == most else pad(each, (0, most - len(each))) for each in lengths]


def _lengths(ids: Sequence[IdList]) -> list[Tensor]:
    single: Tensor | None = None
    lengths = []
    for each in ids:
        if each.offsets is None:
            # One tensor serves all features that have one id in every row.
            if single is None or len(single) != len(each.values):
                single = torch.ones_like(each.values)
            lengths.append(single)
        elif len(each.offsets):
            ends = torch.nn.functional.pad(each.offsets[1:], (0, 1), value=len(each.values))
            lengths.append(ends - each.offsets)
        else:
            lengths.append(each.offsets)
    return lengths


def _weights(ids: IdList) -> Tensor:
    if ids.weights is None:
        return torch.ones(len(ids.values), device=ids.values.device)
    return ids.weights


def _cat_each(parts: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    return [torch.cat(each) for each in zip(*parts, strict=True)]
