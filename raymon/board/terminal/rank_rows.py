"""What is known of each rank of a run: where it is, and how far it is behind the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raymon.board.newest_ranks import newest_rank_lines
from raymon.board.rank_sums import RankSums
from raymon.diagnosis import Verdict, median_of_others
from raymon.results import HOST_BYTES, OWN_PHASES, Alert
from raymon.runs import Run, objects_by_rank

_STRAGGLER = "straggler"

_NAN = math.nan


@dataclass(frozen=True)
class RankRow:
    """What is known of a rank; NaN and empty texts are what is not known.

    Attributes:
        rank: Number of the rank.
        host: Its host.
        step: Step that it reported last.
        phase: What its training thread does, while the run goes on.
        phase_s: Seconds since it does that.
        heard_s: Seconds since it was heard.
        lag_s_per_step: Seconds of its own work in a step above the median of the other ranks.
        step_s: Seconds of its own work in a step.
        host_bytes: Memory of its process.
        is_straggler: Whether an alert says that it is slower than the others.
    """

    rank: int
    host: str = ""
    step: float = _NAN
    phase: str = ""
    phase_s: float = _NAN
    heard_s: float = _NAN
    lag_s_per_step: float = _NAN
    step_s: float = _NAN
    host_bytes: float = _NAN
    is_straggler: bool = False


def rank_rows(run: Run, alerts: Sequence[Alert], verdict: Verdict | None = None) -> list[RankRow]:
    """Returns the ranks of the newest attempt, stragglers first, then those most behind.

    Args:
        run: The run.
        alerts: Its alerts that are not over.
        verdict: Verdict on it, if there is one.
    """
    live = objects_by_rank((run.live or {}).get("ranks"))
    found = [*(alert.finding for alert in alerts), *(verdict.findings if verdict else ())]
    stragglers = {finding.rank for finding in found if finding.kind == _STRAGGLER}
    devices = objects_by_rank(run.summary.get("devices"))
    lines = newest_rank_lines(run.rank_lines, goes_on=bool(live))
    sums = RankSums.of(lines)
    numbers = None if sums is None else sums.numbers
    own = _own_seconds(sums)
    lag = _lags(own)
    memory = np.zeros(0) if numbers is None else numbers.column(HOST_BYTES)
    place = {rank: i for i, rank in enumerate(() if numbers is None else numbers.ranks)}
    newest = lines[-1].end_step if lines else _NAN
    rows = []
    for rank in sorted(live.keys() | place.keys()):
        known, device = live.get(rank, {}), devices.get(rank, {})
        at = place.get(rank)
        rows.append(
            RankRow(
                rank,
                str(known.get("host") or device.get("host") or ""),
                _number(known.get("step") or newest),
                "ended" if known.get("ended") else str(known.get("phase") or ""),
                _number(known.get("phase_s")) if known.get("phase") else _NAN,
                _number(known.get("beat_s") if known.get("host") else known.get("heard_s")),
                _NAN if at is None else float(lag[at]),
                _NAN if at is None else float(own[at]),
                _NAN if at is None else float(memory[at]),
                rank in stragglers,
            )
        )
    return sorted(rows, key=lambda row: (not row.is_straggler, -_or_least(row.lag_s_per_step)))


def _own_seconds(sums: RankSums | None) -> NDArray[np.float64]:
    """Returns the seconds of its own work in a step of each rank, `[R]`; NaN where unknown."""
    if sums is None:
        return np.zeros(0)
    numbers = sums.numbers
    phases = [numbers.column(name) for name in OWN_PHASES if name in numbers.names]
    if not phases:
        return np.full(len(numbers.ranks), _NAN)
    seconds = np.where(np.isnan(phases).all(axis=0), _NAN, np.nansum(phases, axis=0))
    return np.asarray(seconds / np.where(sums.steps > 0, sums.steps, _NAN), np.float64)


def _lags(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the seconds above the median of the other ranks, `[R]`; NaN where unknown."""
    lags = np.full(len(own), _NAN)
    known = np.flatnonzero(np.isfinite(own))
    if len(known) > 1:
        lags[known] = own[known] - median_of_others(own[known])
    return lags


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else _NAN


def _or_least(value: float) -> float:
    return value if math.isfinite(value) else -math.inf
