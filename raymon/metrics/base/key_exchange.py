"""One exchange of rows among all ranks, after which all rows of a group are on one rank."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from raymon.metrics.base.row_metric import Rows


def exchange(rows: Rows, key: Tensor, group: Any) -> tuple[Rows, Tensor]:
    """Sends every row to the rank of its key; all ranks of the group must call it.

    A rank sends each of its rows once and receives about as many: 16 bytes a row, 8 more if any
    rank has weights, 4 more for each of scores and labels that any has as float64.

    Args:
        rows: Rows of this rank, `[N]`; ranks may have float64, weights, or no rows while others do
            not.
        key: Keys of the rows, int64 `[N]`.
        group: Process group of torch.distributed; None for all ranks.

    Returns:
        All rows of this rank's keys and their keys, in the same types and on the same kind of
        device on every rank.
    """
    device = _device_of(group, key.device)
    form = rows.form().to(device)
    dist.all_reduce(form, dist.ReduceOp.MAX, group=group)
    rows = rows.in_form(form)

    ranks = dist.get_world_size(group)
    # int32 sorts faster than int64.
    to, order = rank_of(key, ranks).to(torch.int32).sort()
    sent = torch.bincount(to.long(), minlength=ranks).to(device)
    received = torch.empty_like(sent)
    dist.all_to_all_single(received, sent, group=group)
    sizes = received.tolist(), sent.tolist()

    def exchanged(column: Tensor) -> Tensor:
        column = column[order].to(device)
        out = column.new_empty(sum(sizes[0]))
        dist.all_to_all_single(out, column, *sizes, group=group)
        return out

    weights = None if rows.weights is None else exchanged(rows.weights)
    return Rows(exchanged(rows.preds), exchanged(rows.target), weights), exchanged(key)


def add_up(sums: Tensor, group: Any) -> Tensor:
    """Returns the sum over the ranks of the group, on the device of `sums`; all must call it."""
    total = sums.to(_device_of(group, sums.device))
    dist.all_reduce(total, group=group)
    return total.to(sums.device)


def rank_of(key: Tensor, ranks: int) -> Tensor:
    """Returns the rank of each key; ranks get even shares of any set of keys.

    It is given by the bits of a product, mixed so that each depends on all of the key, as in the
    finalizer of MurmurHash3 (Appleby 2011): keys that are multiples of the number of ranks, or
    hashes already, spread as evenly.

    Args:
        key: Keys, int64 `[N]`.
        ranks: Number of ranks.

    Returns:
        The ranks, int64 `[N]`, in [0, ranks).
    """
    mixed = key
    for multiplier in (-0x00AE502812AA7333, -0x3B314601E57A13AD):
        mixed = (mixed ^ (mixed >> 33)) * multiplier
    return ((mixed >> 33) & 0x7FFFFFFF) % ranks


def _device_of(group: Any, device: torch.device) -> torch.device:
    """Returns the device on which the group exchanges tensors that lie on `device`."""
    backend = dist.get_backend(group)
    if backend == dist.Backend.GLOO:
        return torch.device("cpu")
    # "nccl", or "cpu:gloo,cuda:nccl".
    if dist.Backend.NCCL in backend:
        return torch.device("cuda", torch.cuda.current_device())
    return device
