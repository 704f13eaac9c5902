"""The rank of this process among those that train together, whoever launched them."""

from __future__ import annotations

import os

import torch.distributed as dist

_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),  # torchrun, and launchers that set the same variables
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # mpirun of Open MPI
    ("PMI_RANK", "PMI_SIZE"),  # mpirun of MPICH and Intel MPI
    ("SLURM_PROCID", "SLURM_NTASKS"),  # srun
)
"""Environment variables with the rank of a process and the number of processes, by launcher."""


def process_rank() -> int:
    """Returns the rank of this process; 0 if it trains alone."""
    return _place_in_world()[0]


def process_count() -> int:
    """Returns the number of processes that train together."""
    return _place_in_world()[1]


def _place_in_world() -> tuple[int, int]:
    if dist.is_available() and dist.is_initialized():
        return int(dist.get_rank()), int(dist.get_world_size())
    # Before there is a process group, the launcher knows.
    for rank, size in _LAUNCHERS:
        given = os.environ.get(rank, ""), os.environ.get(size, "")
        if all(number.isdecimal() for number in given) and int(given[0]) < int(given[1]):
            return int(given[0]), int(given[1])
    return 0, 1
