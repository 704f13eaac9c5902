"""A rank of two, whose tables are sharded, that skips a step: `skipping_rank.py FOLDER RANK`."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from tests.training.rank_process import read_config, run_rank


def main(folder: Path, rank: int) -> None:
    """Trains, and writes what became of the rank."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/rendezvous",
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=60),
    )
    run = run_rank(read_config(folder / "rank.config"), rank, 2)
    torch.save(vars(run), folder / f"{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
