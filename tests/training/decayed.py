"""The decayed metrics of a training, computed in another way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

Rows = tuple[Tensor, Tensor]
"""Scores and labels of a batch, `[B]`."""


def batches(steps: int, rows: int = 64, seed: int = 0) -> list[Rows]:
    """Yields batches of scores, and of labels that depend on them."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(steps, rows, generator=generator)
    labels = (torch.rand(steps, rows, generator=generator) < scores).float()
    return list(zip(scores, labels, strict=True))


def decayed_auc(folds: Sequence[Sequence[Rows]], rate: float) -> float:
    """Returns the AUC of rows that weigh less the more folds came after them.

    The first fold is the histogram; every later one adds `1 - rate` of its rows to `rate` of it.

    Args:
        folds: Batches of each fold.
        rate: Weight of the past at a fold.
    """
    scores, labels, weights = [], [], []
    for number, fold in enumerate(folds):
        age = len(folds) - 1 - number
        weight = rate**age * (1.0 if number == 0 else 1 - rate)
        for batch_scores, batch_labels in fold:
            scores.append(batch_scores.double().numpy())
            labels.append(batch_labels.numpy())
            weights.append(np.full(len(batch_scores), weight))
    columns = [np.concatenate(column) for column in (labels, scores, weights)]
    return float(roc_auc_score(columns[0], columns[1], sample_weight=columns[2]))


def decayed_mean(values: Sequence[float], rate: float) -> float:
    """Returns a value that was decayed at every fold."""
    decayed = values[0]
    for value in values[1:]:
        decayed = rate * decayed + (1 - rate) * value
    return decayed
