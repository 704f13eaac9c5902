"""Which of several processes that train together this one is."""

from __future__ import annotations

import os

import torch.distributed as dist

_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),  # torchrun, and what starts processes as it does
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # mpirun of Open MPI
    ("PMI_RANK", "PMI_SIZE"),  # mpirun of MPICH and Intel MPI
    ("SLURM_PROCID", "SLURM_NTASKS"),  # srun
)
"""Variables in which a launcher tells a process its rank, and how many there are."""


def process_rank() -> int:
    """The rank of this process where processes train together, 0 where they do not."""
    return _place_in_world()[0]


def process_count() -> int:
    """How many processes train together."""
    return _place_in_world()[1]


def _place_in_world() -> tuple[int, int]:
    if dist.is_available() and dist.is_initialized():
        return int(dist.get_rank()), int(dist.get_world_size())
    # Before there is a process group, who started the processes knows.
    for rank, size in _LAUNCHERS:
        given = os.environ.get(rank, ""), os.environ.get(size, "")
        if all(number.isdecimal() for number in given) and int(given[0]) < int(given[1]):
            return int(given[0]), int(given[1])
    return 0, 1
