"""The value of an expression for all rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raymon.data.features.expressions.functions import ELEMENTWISE, OF_VECTORS
from raymon.data.features.expressions.tree import Call, Node, Number

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Numbers:
    """The numbers of rows.

    Attributes:
        values: Numbers, one row after the other, float64 `[N]`; `[B]` if each has one.
        lengths: How many each row has, int64 `[B]`, none of them 0; None if each has one.
    """

    values: Floats
    lengths: Ints | None = None


def evaluate(node: Node, variables: Mapping[str, Numbers], rows: int, fill: float) -> Numbers:
    """Returns the value of an expression.

    A function of vectors makes one number of those of a row. Others take numbers one by one: one
    number goes with each of several, and where there are several of different lengths the shorter
    are filled up.

    Args:
        node: Expression.
        variables: Numbers by name.
        rows: Number of rows, B.
        fill: Number in place of those that are missing.
    """
    if isinstance(node, Number):
        return Numbers(np.full(rows, node.value))
    if not isinstance(node, Call):
        return variables[node.name]
    arguments = [evaluate(each, variables, rows, fill) for each in node.arguments]
    values, lengths = _aligned(arguments, fill)
    with np.errstate(all="ignore"):
        if node.function in OF_VECTORS:
            own = np.ones(rows, np.int64) if lengths is None else lengths
            if rows == 0:
                return Numbers(np.zeros(0))
            starts = np.cumsum(own) - own
            return Numbers(OF_VECTORS[node.function][1](starts, own, *values))
        result = np.asarray(ELEMENTWISE[node.function][1](*values), np.float64)
    return Numbers(result, lengths)


def _aligned(arguments: Sequence[Numbers], fill: float) -> tuple[list[Floats], Ints | None]:
    """Returns arguments that have as many numbers in each row, and how many."""
    several = [a.lengths for a in arguments if a.lengths is not None]
    if not several:
        return [a.values for a in arguments], None
    lengths = np.maximum.reduce(several)
    return [_filled(a, lengths, fill) for a in arguments], lengths


def _filled(argument: Numbers, lengths: Ints, fill: float) -> Floats:
    if argument.lengths is None:
        return np.repeat(argument.values, lengths)
    own = argument.lengths
    if (own == lengths).all():
        return argument.values
    starts = np.cumsum(own) - own
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    # One number goes with each of several; of more, those at the same place.
    one = np.repeat(own == 1, lengths)
    places = np.repeat(starts, lengths) + np.where(one, 0, within)
    there = one | (within < np.repeat(own, lengths))
    result: Floats = np.full(len(within), fill)
    result[there] = argument.values[places[there]]
    return result
