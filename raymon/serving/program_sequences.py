"""The positions of sequences as the inputs of a program, which are plain tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim

from raymon.data import Feature, IdList, Positions

Parts = dict[str, Tensor]
"""Tensors by name."""

_ROWS, _LONGEST = 3, 4

_FEWEST_IDS = 40
"""Ids of an example: more than it has positions, and not as many as anything else has."""


def is_weighted(feature: Feature) -> bool:
    """Whether the ids of a feature have weights."""
    return feature.embedding is not None and feature.embedding.weighted


def parts_of(positions: Positions, weighted: bool) -> Parts:
    """Returns the parts of a feature, as a program takes them.

    Args:
        positions: Positions of the feature, on the CPU.
        weighted: Whether its ids have weights.
    """
    # The number itself would be a constant of the program.
    longest = torch.zeros(max(positions.longest, 1), dtype=torch.bool)
    parts = {"rows": positions.offsets, "longest": longest}
    ids = positions.ids
    if ids is None:
        assert positions.numbers is not None
        return {**parts, "numbers": positions.numbers}
    begins = torch.arange(len(ids.values)) if ids.offsets is None else ids.offsets
    parts |= {"ids": ids.values, "begins": begins}
    if weighted:
        parts["weights"] = torch.ones(len(ids.values)) if ids.weights is None else ids.weights
    return parts


def positions_of(parts: Parts) -> Positions:
    """Returns the positions of a feature from its parts."""
    longest = parts["longest"].shape[0]
    if "numbers" in parts:
        return Positions(parts["rows"], longest, numbers=parts["numbers"])
    ids = IdList(parts["ids"], parts["begins"], parts.get("weights"))
    return Positions(parts["rows"], longest, ids)


def sequence_examples(
    features: Sequence[Feature], rows: Any, together: Sequence[Sequence[str]]
) -> tuple[dict[str, Parts], dict[str, dict[str, Any]]]:
    """Returns arbitrary positions of features of sequences, and their dimensions.

    Args:
        features: Features of a program.
        rows: The dimension of rows.
        together: Names of features of sequences that have as many positions.

    Returns:
        The parts of each feature, and the dimensions of each of them, as `torch.export` takes them.
    """
    sequences = [feature for feature in features if feature.is_sequence]
    of_feature = _classes([feature.name for feature in sequences], together)
    examples: dict[str, Parts] = {}
    shapes: dict[str, dict[str, Any]] = {}
    for index, feature in enumerate(sequences):
        name, number = feature.name, of_feature[feature.name]
        # Numbers that differ, as equal ones would be one dimension.
        count = _LONGEST + 2 + number
        positions = Dim(f"positions_{number}", min=0)
        parts = {
            "rows": torch.tensor([0, 2, 2]),
            "longest": torch.zeros(count - 2, dtype=torch.bool),
        }
        own = {"rows": {0: rows}, "longest": {0: Dim(f"longest_{index}", min=1)}}
        if feature.embedding is None:
            parts["numbers"], own["numbers"] = torch.ones(count, feature.value_dim), {0: positions}
        else:
            every, ids = Dim(f"ids_of_positions_{index}", min=0), _FEWEST_IDS + index
            parts |= {"ids": torch.zeros(ids, dtype=torch.int64), "begins": torch.arange(count)}
            own |= {"ids": {0: every}, "begins": {0: positions}}
            if is_weighted(feature):
                parts["weights"], own["weights"] = torch.ones(ids), {0: every}
        examples[name], shapes[name] = parts, own
    return examples, shapes


def _classes(names: Sequence[str], together: Sequence[Sequence[str]]) -> dict[str, int]:
    """Returns the number of the class of features with as many positions, by name."""
    found = {name: number for number, name in enumerate(names)}
    for group in together:
        numbers = {found[name] for name in group if name in found}
        for name, number in found.items():
            if number in numbers:
                found[name] = min(numbers)
    return found
