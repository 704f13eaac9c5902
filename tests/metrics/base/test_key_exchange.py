"""Keys belong to ranks: a key always to the same one, and each rank gets its share."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from raymon.metrics.base.key_exchange import rank_of

N = 30_000
SIGNED = torch.randint(-(2**63), 2**63 - 1, (N,), generator=torch.Generator().manual_seed(0))
KEYS = {
    "counted": torch.arange(N),
    "counted below zero": -torch.arange(N),
    "multiples of many numbers": torch.arange(N) * 5_040,
    "high bits": torch.arange(N) << 45,
    "both ends": (torch.arange(N) << 49) + torch.arange(N),
    "hashes": SIGNED,
    "positive hashes": SIGNED >> 1 & (2**62 - 1),
}


@pytest.mark.parametrize("ranks", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_ranks_get_even_shares_of_any_keys(key: Tensor, ranks: int) -> None:
    rank = rank_of(key, ranks)
    assert torch.equal(rank, rank_of(key.clone(), ranks))
    shares = torch.bincount(rank, minlength=ranks)
    assert len(shares) == ranks
    # Six standard deviations of keys that are dealt out by chance.
    mean = N / ranks
    assert (shares - mean).abs().max() <= 6 * mean**0.5


def test_extreme_keys_belong_to_a_rank() -> None:
    key = torch.tensor([-(2**63), -1, 0, 1, 2**63 - 1])
    for ranks in (1, 2, 3, 1_000):
        assert ((rank_of(key, ranks) >= 0) & (rank_of(key, ranks) < ranks)).all()
