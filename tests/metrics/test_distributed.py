"""Evaluation on two ranks gives the value of all samples together, on both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from raymon.metrics import AUC, GroupedAUC, NormalizedEntropy, TrainMetricWrapper


def _rows() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    preds = torch.rand(500, generator=generator)
    target = (torch.rand(500, generator=generator) < preds).float()
    return preds, target, torch.randint(0, 20, (500,), generator=generator)


def _values(rank: int, ranks: int) -> list[float]:
    preds, target, key = _rows()
    auc, entropy, grouped, lopsided = AUC(), NormalizedEntropy(), GroupedAUC(), GroupedAUC()
    train = TrainMetricWrapper(AUC(), decay_step=1)
    auc.update(preds[rank::ranks], target[rank::ranks])
    entropy.update(preds[rank::ranks], target[rank::ranks])
    grouped.update(preds[rank::ranks], target[rank::ranks], key[rank::ranks])
    if rank == 0:
        lopsided.update(preds, target, key)
        # Only this rank: a collective in here would never end.
        train.update(preds, target)
        train.compute()
    return [metric.compute().item() for metric in (auc, entropy, grouped, lopsided)]


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_two_ranks_give_bit_for_bit_the_values_of_one(tmp_path: Path) -> None:
    command = [sys.executable, __file__, str(tmp_path)]
    ranks = [subprocess.Popen([*command, str(rank)]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in ranks] == [0, 0]
    expected = _values(0, 1)
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == expected


if __name__ == "__main__":
    folder, rank = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "rendezvous"), 2)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=2)
    torch.save(_values(rank, 2), folder / f"{rank}.pt")
    dist.destroy_process_group()
