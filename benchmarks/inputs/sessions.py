"""Scores and clicks of many users, as an evaluation has them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Sessions(NamedTuple):
    """The rows of an evaluation.

    Attributes:
        scores: Scores, float32 `[N]`.
        clicks: Clicks, int64 `[N]`, 0 or 1; about 5 in 100 are 1.
        users: Ids of the users, int64 `[N]`.
    """

    scores: Tensor
    clicks: Tensor
    users: Tensor

    def part(self, rank: int, ranks: int) -> Sessions:
        """Returns the rows of one of `ranks` ranks."""
        return Sessions(*(column[rank::ranks].contiguous() for column in self))


def sessions(rows: int, users: int) -> Sessions:
    """Draws rows; some users have many and most have few, and their ids are hashes."""
    rng = np.random.default_rng(0)
    logit = rng.normal(-3.4, 1, rows)
    scores = (1 / (1 + np.exp(-logit))).astype(np.float32)
    clicks = rng.random(rows) < scores
    user = (users * rng.power(0.5, rows)).astype(np.int64)
    hashed = user * np.int64(0x1E3779B97F4A7C15)
    return Sessions(
        torch.from_numpy(scores),
        torch.from_numpy(clicks.astype(np.int64)),
        torch.from_numpy(hashed),
    )
