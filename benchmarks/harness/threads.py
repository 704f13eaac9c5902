"""One thread for all contenders."""

from __future__ import annotations

import torch
from threadpoolctl import threadpool_limits


def one_thread() -> None:
    """Limits torch, and the BLAS and OpenMP that numpy and scikit-learn use, to one thread.

    A second thread of a BLAS spins while it waits; on a busy machine that made a contender with one
    `numpy.dot` ten times slower.
    """
    torch.set_num_threads(1)
    threadpool_limits(1)
