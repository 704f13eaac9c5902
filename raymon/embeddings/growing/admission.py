"""Which of the ids that were counted are admitted.

The formulas are those of the filters of TorchRec's managed collision modules, which the names in a
config refer to; the chance of an id is drawn from a hash, so that all ranks draw the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import torch
from torch import Tensor

from raymon.data import AdmissionFilter
from raymon.embeddings.growing.id_counts import IdCounts

_COMPARE: dict[str, Callable[[Tensor, float], Tensor]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}

_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
_MIX_2 = 0x94D049BB133111EB - 2**64


def admitted(filter_: AdmissionFilter | None, counted: IdCounts, seed: int) -> Tensor:
    """Returns which ids are admitted, a mask `[n]`.

    Args:
        filter_: Filter; None for all ids.
        counted: Accesses of the ids, each once.
        seed: Number that the chances of ids depend on, another in each interval.
    """
    counts = counted.counts.double()
    if filter_ is None:
        return torch.ones_like(counted.ids, dtype=torch.bool)
    if filter_.kind == "dynamic":
        # count > sum / n * number, without the rounding of the quotient.
        return counts * len(counts) > counts.sum() * filter_.number
    if filter_.kind == "probabilistic":
        chance = 1 - (1 - filter_.number) ** counts
        return chance > uniform(counted.ids, seed)
    if filter_.kind == "frequency":
        return counts >= filter_.number
    return _COMPARE[filter_.kind](counts, filter_.number)


def uniform(ids: Tensor, seed: int) -> Tensor:
    """Returns a number in [0, 1) for each id, float64 `[n]`: a hash of the id and the seed."""
    mixed = mix(mix(torch.full_like(ids, seed)) ^ ids)
    return _shifted(mixed, 11).double() * 2.0**-53


def mix(words: Tensor) -> Tensor:
    """Returns a bijection of 64-bit words, int64 `[n]`.

    It is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, figure 16).
    """
    words = words + _GOLDEN
    words = (words ^ _shifted(words, 30)) * _MIX_1
    words = (words ^ _shifted(words, 27)) * _MIX_2
    return words ^ _shifted(words, 31)


def _shifted(words: Tensor, bits: int) -> Tensor:
    # The shift of int64 repeats the sign.
    return (words >> bits) & ((1 << (64 - bits)) - 1)
