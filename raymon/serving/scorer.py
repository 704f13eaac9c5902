"""What scores batches: the program of an export, or the model of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from raymon.data import Batch, Columns, Feature, FileFormat, missing_rows
from raymon.serving.bundle import open_bundle
from raymon.serving.program import program_inputs
from raymon.storage import StoragePath

_ROWS = 2


@dataclass(frozen=True)
class Scorer:
    """A model that scores batches of raw rows.

    Attributes:
        source: Directory of the model: an export, or a checkpoint.
        features: Features that turn raw columns into its inputs.
        file_format: Format of the files that it was trained on.
        score: Function that returns the predictions of a batch by name, each with an entry for each
            row.
    """

    source: StoragePath
    features: list[Feature]
    file_format: FileFormat
    score: Callable[[Batch], Mapping[str, Tensor]]

    @property
    def columns(self) -> Columns:
        """The columns of the input that are read."""
        return Columns(self.features, {})

    def predictions(self) -> list[str]:
        """Returns the names of the predictions, in their order."""
        with torch.inference_mode():
            return list(self.score(missing_rows(self.columns, _ROWS)))


def exported_scorer(directory: StoragePath) -> Scorer:
    """Returns the exported model in a directory as a scorer.

    Raises:
        RunError: There is none, or one of its files was changed.
    """
    bundle = open_bundle(directory)
    program, features = bundle.program, bundle.features

    def score(batch: Batch) -> Mapping[str, Tensor]:
        predictions: Mapping[str, Tensor] = program(*program_inputs(batch, features))
        return predictions

    return Scorer(directory, features, bundle.file_format, score)
