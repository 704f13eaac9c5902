"""The status of a run as lines of at most a screen."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from raymon.cli.value_rows import output_width, row_lines, values_text
from raymon.number_text import NO_VALUE, count_text, duration_text, rate_text

_RANKS = 10
_ALERTS = 8


def status_lines(status: Mapping[str, Any]) -> list[str]:
    """Returns the lines of a status, which `raymon status --json` prints as it is."""
    rows = [(label, text) for label, text in _rows(status) if text]
    width, labels = output_width(), max((len(label) for label, _ in rows), default=0)
    lines = [f"{status['status']}: {shlex.quote(str(status['run']))}"]
    for label, text in rows:
        lines += row_lines(label, text, labels, width)
    return lines + _rank_lines(status.get("ranks") or ())


def _rows(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "step", _progress(status)
    yield "rate", _rate(status)
    yield "train", values_text(_numbers({**_of(status, "losses"), **_of(status, "metrics")}))
    scored = status.get("evaluation")
    if scored:
        metrics = values_text(_numbers(scored["metrics"]))
        yield "eval", f"{metrics} (step {scored['step']:,})"
    saved = status.get("checkpoint")
    if saved:
        yield "checkpoint", f"step {saved['step']:,}: {shlex.quote(str(saved['path']))}"
    coverage = status.get("coverage")
    if coverage:
        yield "coverage", f"ranks:{coverage['ranks']}/{coverage['world_size']}"
    if status.get("attempt"):
        size = status["world_size"]
        yield "attempt", f"{status['attempt']}, of {size} rank{'' if size == 1 else 's'}"
    process = status.get("process")
    if process:
        yield "process", f"{process['pid']} on {process['host']}, since {process['since']}"
    yield "reporter", str(status.get("reporter") or "")
    yield "verdict", str(status.get("verdict") or "")
    yield "stopped early", str(status.get("stopped_early") or "")
    yield "error", str(status.get("error") or "")
    alerts = status.get("alerts") or ()
    for alert in alerts[:_ALERTS]:
        yield "alert", str(alert.get("text", ""))
    if len(alerts) > _ALERTS:
        yield "", f"and {len(alerts) - _ALERTS} more alerts"


def _progress(status: Mapping[str, Any]) -> str:
    step, total = status.get("step") or 0, status.get("total_steps")
    text = f"{step:,}"
    if total:
        text += f" of {total:,} ({100 * step / total:.1f} %)"
    if status.get("epoch") is not None:
        text += f", epoch {status['epoch']}"
    if status.get("eta_s") is not None:
        text += f", {duration_text(status['eta_s'])} left"
    return text


def _rate(status: Mapping[str, Any]) -> str:
    if status.get("samples_per_second") is None:
        return ""
    if status.get("stalled_s"):
        return f"no step for {duration_text(status['stalled_s'])}"
    text = f"samples/s {count_text(status['samples_per_second'])}"
    if status.get("steps_per_second") is not None:
        text += f"  it/s {rate_text(status['steps_per_second'])}"
    numbers = status.get("numbers")
    if numbers:
        # A rate of the past is not that of this moment.
        text += (
            f" (of steps {numbers['first_step']:,} to {numbers['end_step']:,}, "
            f"{duration_text(numbers['age_s'])} ago)"
        )
    return text


def _rank_lines(ranks: Sequence[Mapping[str, Any]]) -> list[str]:
    if not ranks:
        return []
    # Of many, those that are furthest behind.
    shown = sorted(ranks, key=lambda rank: (rank["step"], -rank["heard_s"]))[:_RANKS]
    rows = [["  rank", "step", "heard", "phase", "host", "pid"]]
    for rank in sorted(shown, key=lambda rank: int(rank["rank"])):
        phase = str(rank.get("phase") or NO_VALUE)
        if rank.get("ended"):
            phase = "ended"
        elif rank.get("phase"):
            phase += f" for {duration_text(rank['phase_s'])}"
        heard_s = rank.get("beat_s") if rank.get("host") else rank["heard_s"]
        rows.append(
            [
                f"  {rank['rank']}",
                f"{rank['step']:,}",
                f"{duration_text(heard_s or 0.0)} ago",
                phase,
                str(rank.get("host") or NO_VALUE),
                str(rank.get("pid") or NO_VALUE),
            ]
        )
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    more = len(ranks) - len(shown)
    return [line.rstrip() for line in lines] + ([f"  and {more:,} more ranks"] if more else [])


def _of(status: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return status.get(name) or {}


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: math.nan if value is None else float(value) for name, value in values.items()}
