"""What a frame shows: a run at a moment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from raymon.board.terminal.curves import Curve, curves_of
from raymon.board.terminal.rank_rows import RankRow, rank_rows
from raymon.diagnosis import Verdict
from raymon.results import Alert
from raymon.runs import RUNNING, STARTING, UNKNOWN, CheckpointInfo, Columns, Run

_NAN = math.nan


@dataclass(frozen=True)
class Frame:
    """A run at a moment. Numbers that are not known are NaN, texts empty.

    Attributes:
        path: Directory of the run.
        name: Name of the directory.
        status: Status, such as "running".
        step: Steps so far.
        total_steps: Steps in all.
        epoch: Epoch, from 0.
        eta_s: Seconds left.
        samples_per_second: Samples per second: of the newest window, of a run that is over in all.
        stalled_s: Seconds since the last step, where no step is made.
        ranks_heard: Ranks whose numbers are in the newest window.
        world_size: Ranks of the attempt.
        restarts: How often the workers were started again.
        train: Losses and metrics of the newest window.
        train_bounds: Bounds of those that are not exact.
        evaluation: Scores of the newest evaluation.
        evaluation_bounds: Bounds of those that are not exact.
        evaluation_step: Its step.
        verdict: Why it is slow, or how it ended.
        error: Why it failed.
        curves: Its curves.
        ranks: Its ranks, stragglers first.
        alerts: Its alerts in order, each as it began or was over.
        on: Alerts that are not over.
        checkpoints: Its checkpoints, by step.
        restart_steps: Steps at which attempts after the first began.
        notes: What of the run cannot be read, or is of a newer version.
    """

    path: str
    name: str
    status: str = UNKNOWN
    step: float = _NAN
    total_steps: float = _NAN
    epoch: float = _NAN
    eta_s: float = _NAN
    samples_per_second: float = _NAN
    stalled_s: float = 0.0
    ranks_heard: float = _NAN
    world_size: float = _NAN
    restarts: float = 0
    train: Mapping[str, float] = field(default_factory=dict)
    train_bounds: Mapping[str, float] = field(default_factory=dict)
    evaluation: Mapping[str, float] = field(default_factory=dict)
    evaluation_bounds: Mapping[str, float] = field(default_factory=dict)
    evaluation_step: float = _NAN
    verdict: str = ""
    error: str = ""
    curves: Sequence[Curve] = ()
    ranks: Sequence[RankRow] = ()
    alerts: Sequence[Alert] = ()
    on: Sequence[Alert] = ()
    checkpoints: Sequence[CheckpointInfo] = ()
    restart_steps: Sequence[int] = ()
    notes: Sequence[str] = ()

    @property
    def goes_on(self) -> bool:
        """Whether the run goes on."""
        return self.status in (STARTING, RUNNING)


def frame_of(run: Run, verdict: Verdict | None = None) -> Frame:
    """Returns a run as it was read last.

    Args:
        run: The run.
        verdict: Verdict on it; None as long as there is none.
    """
    series, scores, summary = run.series, run.evaluation_series, run.summary
    live, status = run.live or {}, run.status
    goes_on = status in (STARTING, RUNNING)
    step = max(
        _number(live.get("step"), 0), _last(series.step, 0), _number(summary.get("steps"), 0)
    )
    total = _number(live.get("total_steps"), _number(summary.get("total_steps")))
    rate = _last(series.column("samples_per_second"))
    steps_rate = _steps_per_second(series)
    eta_s = max(total - step, 0) / steps_rate if goes_on and steps_rate > 0 else _NAN
    alerts = run.alert_list
    on = _on(alerts)
    return Frame(
        path=str(run.path),
        name=run.name,
        status=status,
        step=step,
        total_steps=total,
        epoch=_last(series.column("epoch")),
        eta_s=_number(live.get("eta_s"), eta_s) if goes_on else _NAN,
        samples_per_second=_number(live.get("samples_per_second"), rate)
        if goes_on
        else _number(summary.get("samples_per_second"), rate),
        stalled_s=_number(live.get("stalled_s"), 0.0),
        ranks_heard=_last(series.column("ranks")),
        world_size=_last(series.column("world_size"), _number(live.get("world_size"))),
        restarts=_number(summary.get("restarts"), max(len(run.attempts) - 1, 0)),
        train=_lasts(series, "losses.", "metrics."),
        train_bounds=_lasts(series, "metric_bounds."),
        evaluation=_lasts(scores, "metrics."),
        evaluation_bounds=_lasts(scores, "metric_bounds."),
        evaluation_step=_last(scores.step),
        error=str(summary.get("error") or ""),
        curves=curves_of(run),
        verdict="" if verdict is None else verdict.short,
        ranks=rank_rows(run, on, verdict),
        alerts=alerts,
        on=on,
        checkpoints=run.checkpoints,
        notes=run.notes,
        restart_steps=[mark.step for mark in run.marks if mark.kind in ("restart", "roll_back")],
    )


def _on(alerts: Sequence[Alert]) -> list[Alert]:
    on = dict[Any, Alert]()
    for alert in alerts:
        if alert.is_over:
            on.pop(alert.finding.key, None)
        else:
            on[alert.finding.key] = alert
    return list(on.values())


def _steps_per_second(series: Columns) -> float:
    seconds = _last(series.column("seconds"))
    steps = _last(series.step) - _last(series.column("first_step"))
    return steps / seconds if seconds > 0 else _NAN


def _lasts(columns: Columns, *prefixes: str) -> dict[str, float]:
    return {
        name.removeprefix(prefix): _last(columns.column(name))
        for prefix in prefixes
        for name in columns.names
        if name.startswith(prefix)
    }


def _last(column: Any, default: float = _NAN) -> float:
    return float(column[-1]) if len(column) else default


def _number(value: Any, default: float = _NAN) -> float:
    return float(value) if isinstance(value, int | float) else default
