"""What is known of each rank of a run: where it is, and how far it is behind the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raymon.results import HOST_BYTES, OWN_PHASES, Alert, RankNumbers
from raymon.runs import RankLine, Run

_STRAGGLER = "straggler"

_RECENT = 5
"""Lines of the numbers of ranks, the newest ones, that the lag of a rank is of."""

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


def rank_rows(run: Run, alerts: Sequence[Alert]) -> list[RankRow]:
    """Returns the ranks of the newest attempt, stragglers first, then those most behind.

    Args:
        run: The run.
        alerts: Its alerts that are not over.
    """
    live = {int(each["rank"]): each for each in (run.live or {}).get("ranks") or ()}
    stragglers = {each.finding.rank for each in alerts if each.finding.kind == _STRAGGLER}
    hosts = {each.finding.rank: each.finding.host for each in alerts if each.finding.host}
    hosts |= {device.get("rank"): device.get("host") for device in run.summary.get("devices") or ()}
    recent = _recent(run.rank_lines)
    numbers = _summed(recent)
    steps = sum(line.end_step - line.first_step for line in recent)
    own = _own_seconds(numbers) / max(steps, 1)
    lag = own - others_median(own)
    memory = np.zeros(0) if numbers is None else numbers.column(HOST_BYTES)
    place = {rank: i for i, rank in enumerate(() if numbers is None else numbers.ranks)}
    newest = recent[-1].end_step if recent else _NAN
    rows = []
    for rank in sorted(live.keys() | place.keys()):
        known: Mapping[str, Any] = live.get(rank) or {}
        at = place.get(rank)
        rows.append(
            RankRow(
                rank,
                str(known.get("host") or hosts.get(rank) or ""),
                float(known.get("step") or newest),
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


def others_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns for each of some values `[N]` the median of the others; NaN where there is none."""
    found = np.full(len(values), _NAN)
    known = np.flatnonzero(np.isfinite(values))
    others = len(known) - 1
    if others < 1:
        return found
    order = known[np.argsort(values[known], kind="stable")]
    ascending, place = values[order], np.arange(len(order))
    low, high = (others - 1) // 2, others // 2
    # What is at `low` and `high` once the value itself is left out.
    found[order] = (
        ascending[np.where(low < place, low, low + 1)]
        + ascending[np.where(high < place, high, high + 1)]
    ) / 2
    return found


def _recent(lines: Sequence[RankLine]) -> Sequence[RankLine]:
    """Returns the newest lines, of ranks of one attempt."""
    recent = list(lines[-_RECENT:])
    size = recent[-1].world_size if recent else 0
    return [line for line in recent if line.world_size == size]


def _summed(lines: Sequence[RankLine]) -> RankNumbers | None:
    numbers = None
    for line in lines:
        numbers = RankNumbers.summed(numbers, line.numbers)
    return numbers


def _own_seconds(numbers: RankNumbers | None) -> NDArray[np.float64]:
    """Returns the seconds of its own work of each rank, `[R]`; NaN for one that tells of none."""
    if numbers is None:
        return np.zeros(0)
    phases = [name for name in OWN_PHASES if name in numbers.names]
    if not phases:
        return np.full(len(numbers.ranks), _NAN)
    seconds = np.stack([numbers.column(name).astype(np.float64) for name in phases])
    return np.where(np.isnan(seconds).all(axis=0), _NAN, np.nansum(seconds, axis=0))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else _NAN


def _or_least(value: float) -> float:
    return value if math.isfinite(value) else -math.inf
