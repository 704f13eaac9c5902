"""`/api/runs/{id}/rank-table`: what each rank does, stragglers first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from raymon.board.newest_ranks import newest_rank_lines
from raymon.board.rank_sums import RankSums
from raymon.board.web.answers.numbers import listed, number
from raymon.board.web.answers.rank_cells import LAG, RankCells
from raymon.diagnosis import Verdict
from raymon.results import STEP_PHASES, RankNumbers
from raymon.runs import Run, objects_by_rank


def rank_table(run: Run, verdict: Verdict | None) -> list[dict[str, Any]]:
    """Returns what is known of each rank of the newest attempt.

    Args:
        run: The run.
        verdict: The verdict on it, which says who is a straggler; None if there is none.
    """
    live = _live(run)
    lines = newest_rank_lines(run.rank_lines, goes_on=bool(live))
    sums = RankSums.of(lines)
    summed = None if sums is None else sums.numbers
    cells = RankCells.of(lines, LAG, 1)
    lags = dict(zip(cells.ranks, listed(cells.values[:, 0]), strict=True)) if lines else {}
    findings = () if verdict is None else verdict.findings
    stragglers = {each.rank for each in findings if each.kind == "straggler"}
    hosts = _hosts(run)
    known = {rank: row for row, rank in enumerate(summed.ranks)} if summed is not None else {}
    found = []
    for rank in sorted({*known, *live, *hosts}):
        state = live.get(rank, {})
        values = _values(summed, known.get(rank))
        found.append(
            {
                "rank": rank,
                "host": state.get("host") or hosts.get(rank),
                "pid": number(state.get("pid")) or None,
                "step": number(state.get("step")) if state else None,
                "phase": state.get("phase") or None,
                "phase_s": number(state.get("phase_s")),
                "heard_s": number(state.get("heard_s")),
                "ended": bool(state.get("ended")),
                "lag_s_per_step": lags.get(rank),
                "shares": _shares(values),
                "host_bytes": values.get("host_bytes"),
                "device_bytes": values.get("device_bytes"),
                "straggler": rank in stragglers,
            }
        )
    return sorted(found, key=lambda row: (not row["straggler"], -(row["lag_s_per_step"] or 0.0)))


def _live(run: Run) -> dict[int, Mapping[str, Any]]:
    """Returns what the reporter knows of each rank; empty of a run that is over."""
    return objects_by_rank((run.live or {}).get("ranks"))


def _hosts(run: Run) -> dict[int, str]:
    devices = objects_by_rank(run.summary.get("devices"))
    return {rank: str(device.get("host") or "") for rank, device in devices.items()}


def _values(numbers: RankNumbers | None, row: int | None) -> dict[str, float]:
    if numbers is None or row is None:
        return {}
    values = numbers.values[row].astype(np.float64).tolist()
    return {name: v for name, v in zip(numbers.names, values, strict=True) if v == v}


def _shares(values: Mapping[str, float]) -> dict[str, float]:
    seconds = {phase: values[phase] for phase in STEP_PHASES if phase in values}
    total = sum(seconds.values())
    return {phase: spent / total for phase, spent in seconds.items()} if total > 0 else {}
