"""Windows of ranks that work and wait, for tests of a diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from raymon.diagnosis import StepWindow
from raymon.results import (
    BACKWARD,
    DATA,
    FORWARD,
    MONITOR,
    OPTIMIZER,
    PEERS,
    RankNumbers,
)

USUAL = {DATA: 0.05, FORWARD: 0.35, BACKWARD: 0.45, OPTIMIZER: 0.14, MONITOR: 0.01}
"""Shares of the phases in the work of a rank."""

Noise = Callable[[np.random.Generator, int], NDArray[np.float64]]


def window_of(
    index: int,
    work: dict[str, NDArray[np.float64]],
    *,
    steps: int = 100,
    peers: float = 0.0,
) -> StepWindow:
    """The window `index` of ranks that exchange gradients in every step.

    Args:
        index: Number of the window, from 0.
        work: Seconds of each phase of each rank, `[R]`.
        steps: Steps of a window.
        peers: Seconds that the exchange itself takes.
    """
    own = np.sum(list(work.values()), axis=0)
    wait = own.max() - own + peers
    values = np.stack([*work.values(), wait], axis=1).astype(np.float32)
    ranks = len(own)
    numbers = RankNumbers((*work, PEERS), tuple(range(ranks)), values)
    seconds = float(own.max() + peers)
    return StepWindow(
        index * steps,
        (index + 1) * steps,
        1000 * steps * ranks,
        seconds,
        ranks,
        numbers,
        {name: float(np.median(values[:, i])) for i, name in enumerate(numbers.names)},
    )


def windows(
    ranks: int,
    count: int,
    noise: Noise,
    seed: int = 0,
    *,
    slow: Callable[[int], dict[int, dict[str, float]]] = lambda index: {},
    seconds: float = 10.0,
) -> Iterator[StepWindow]:
    """Windows of ranks whose work is the same but for noise.

    Args:
        ranks: Number of ranks.
        count: Number of windows.
        noise: What the seconds of each rank in a window are multiplied by, `[R]`.
        seed: Seed of the noise.
        slow: Returns, for a window, the seconds by phase that ranks take longer.
        seconds: Seconds of a window.
    """
    generator = np.random.default_rng(seed)
    for index in range(count):
        factors = noise(generator, ranks)
        work = {name: seconds * share * factors for name, share in USUAL.items()}
        for rank, more in slow(index).items():
            for name, longer in more.items():
                work[name][rank] += longer
        yield window_of(index, work)


def log_normal(sigma: float) -> Noise:
    """Noise whose logarithm is normal."""
    return lambda generator, ranks: np.exp(sigma * generator.standard_normal(ranks))


def heavy(scale: float, degrees: float = 2.0) -> Noise:
    """Noise with heavy tails: a step takes its time, or much longer."""
    return lambda generator, ranks: 1 + scale * np.abs(generator.standard_t(degrees, ranks))
