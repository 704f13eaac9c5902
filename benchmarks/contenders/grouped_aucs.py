"""Ways to compute the mean AUC within users: raymon, loops over the users, and pandas.

All of them leave out users whose clicks are all 0 or all 1. The loops sort the rows by user once
and call their library for one user at a time, which is how such metrics are written with
torchmetrics and scikit-learn. pandas ranks the scores within users and sums ranks by user, all with
built-in methods, as its guide to `groupby` recommends in place of `apply`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional.classification import binary_auroc

from benchmarks.inputs.sessions import Sessions
from raymon.metrics import GroupedAUC

BATCH = 8_192
RAYMON, TORCHMETRICS, SKLEARN, PANDAS = (
    "raymon GroupedAUC",
    "loop of torchmetrics binary_auroc",
    "loop of scikit-learn roc_auc_score",
    "pandas, ranks within groups",
)
Way = Callable[[Sessions], float]


def raymon(rows: Sessions) -> float:
    """Returns raymon's value, from batches, as in an evaluation."""
    return value_of(GroupedAUC(), rows)


def value_of(metric: GroupedAUC, rows: Sessions) -> float:
    """Returns the value of a metric after all batches."""
    for begin in range(0, len(rows.scores), BATCH):
        metric.update(*(column[begin : begin + BATCH] for column in rows))
    return float(metric.compute())


def torchmetrics_loop(rows: Sessions) -> float:
    """Returns the value by one call of torchmetrics for each user, which checks no arguments."""
    areas = [binary_auroc(s, t, validate_args=False) for s, t in _users(rows)]
    return float(torch.stack(areas).double().mean())


def sklearn_loop(rows: Sessions) -> float:
    """Returns the value by one call of scikit-learn for each user."""
    # Imported here, since the ranks of a distributed run do not call it.
    from sklearn.metrics import roc_auc_score

    return float(np.mean([roc_auc_score(t.numpy(), s.numpy()) for s, t in _users(rows)]))


def pandas_ranks(rows: Sessions) -> float:
    """Returns the value by the sum of the ranks of clicked rows (Mann & Whitney 1947)."""
    import pandas as pd

    frame = pd.DataFrame({name: column.numpy() for name, column in rows._asdict().items()})
    frame["rank"] = frame.groupby("users")["scores"].rank()
    clicks = frame.groupby("users")["clicks"].agg(["sum", "count"])
    ranks = frame[frame["clicks"] == 1].groupby("users")["rank"].sum()
    # Users without a click are not in `ranks`.
    positives = clicks["sum"].reindex(ranks.index)
    negatives = clicks["count"].reindex(ranks.index) - positives
    areas = (ranks - positives * (positives + 1) / 2) / (positives * negatives)
    return float(areas[negatives > 0].mean())


def _users(rows: Sessions) -> Iterator[tuple[Tensor, Tensor]]:
    order = rows.users.argsort()
    sizes = torch.unique_consecutive(rows.users[order], return_counts=True)[1].tolist()
    for s, t in zip(rows.scores[order].split(sizes), rows.clicks[order].split(sizes), strict=True):
        if 0 < int(t.sum()) < len(t):
            yield s, t


WAYS: dict[str, Way] = {
    RAYMON: raymon,
    TORCHMETRICS: torchmetrics_loop,
    SKLEARN: sklearn_loop,
    PANDAS: pandas_ranks,
}
