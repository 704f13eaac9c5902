"""What a registry of models is told of an exported model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelCard:
    """An exported model.

    Attributes:
        directory: Directory on this machine that it was exported into.
        step: Steps that it has made.
        inputs: Type of each column that its features are made of, as Arrow names it; empty where it
            is not known.
        outputs: Type of each prediction, and the length of its rows; 1 for plain numbers.
    """

    directory: str
    step: int
    inputs: Mapping[str, str]
    outputs: Mapping[str, tuple[str, int]]
