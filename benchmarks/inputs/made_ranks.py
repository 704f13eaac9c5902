"""The numbers of single ranks of a run that nobody trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs.made_curves import SAMPLES, SHARES, STEPS, WINDOW_S, MadeCurves
from raymon.results import RankNumbers, Snapshot

_OWN = tuple(name for name in SHARES if name != "peers")
_NAMES = (*_OWN, "peers", "host_bytes", "host_free_bytes")
_EXTRA = 0.5
"""Share of a step that a straggler's phase takes longer."""


def stragglers(curves: MadeCurves) -> dict[int, tuple[str, int, int]]:
    """Returns the phase, and the first and the end window, of the stragglers by rank."""
    n = curves.windows
    return {
        137 % curves.ranks: ("data", n * 2 // 10, n * 3 // 10),
        (curves.ranks - 1) * 51 // 100: ("forward", n * 9 // 10, n),
    }


def rank_snapshots(curves: MadeCurves) -> Iterator[Snapshot]:
    """Yields snapshots with the numbers of ranks, each of the windows of a line.

    A line has 0.1 s for each rank, as those of raymon do, so they are far fewer than the windows.
    """
    every = max(1, round(0.1 * curves.ranks / WINDOW_S))
    rng = np.random.default_rng(curves.seed)
    speed = 1 + 0.02 * rng.normal(0, 1, curves.ranks)
    first = 0
    while first < curves.windows:
        before = first < curves.restart
        end = min(first + every, curves.restart if before else curves.windows)
        yield _snapshot(curves, first, end, speed, rng)
        first = end


def _snapshot(
    curves: MadeCurves, first: int, end: int, speed: NDArray[np.float64], rng: np.random.Generator
) -> Snapshot:
    seconds = (end - first) * WINDOW_S
    noise = 1 + 0.03 * rng.normal(0, 1, (len(_OWN), curves.ranks))
    own = {name: SHARES[name] * seconds * speed * noise[row] for row, name in enumerate(_OWN)}
    for rank, (phase, begin, over) in stragglers(curves).items():
        if begin <= first < over:
            own[phase][rank] += _EXTRA * seconds
    work = np.sum(list(own.values()), axis=0)
    peers = work.max() - work + 0.01 * seconds
    resident = 4e9 + 2e9 * first / curves.windows + 1e8 * speed
    columns = [*own.values(), peers, resident, 6e10 - resident]
    values = np.stack(columns, axis=1).astype(np.float32)
    begin_step, end_step = first * STEPS, end * STEPS
    (snapshot,) = curves.snapshots(end - 1, end)
    return replace(
        snapshot,
        first_step=begin_step,
        end_step=end_step,
        samples=(end - first) * SAMPLES,
        seconds=float(work.max()),
        rank_numbers=RankNumbers(_NAMES, tuple(range(curves.ranks)), values),
    )
