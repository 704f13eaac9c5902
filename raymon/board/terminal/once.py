"""One frame as text, and its data as JSON."""

from __future__ import annotations

import io
import os
import shutil
import sys
from dataclasses import asdict
from typing import Any

from rich.console import Console

from raymon.board.downsample import downsample
from raymon.board.terminal.curves import Points
from raymon.board.terminal.frame import Frame
from raymon.board.terminal.pages import View, page_lines
from raymon.board.terminal.paper import Paper, locale_has_unicode
from raymon.board.terminal.watched_run import WatchedRun
from raymon.runs import Run

_LEAST_COLUMNS = 20
_POINTS = 2_000
"""Points of a curve at most, which are drawn as all of them are."""


def frame_text(run: Run) -> list[str]:
    """Returns the lines of one frame of a run, for standard output.

    They are as wide as the terminal; where there is none, as `COLUMNS` says, or 80. Colors are for
    terminals alone.

    Raises:
        RunError: The run cannot be read.
    """
    is_terminal = sys.stdout.isatty()
    columns = max(shutil.get_terminal_size().columns, _LEAST_COLUMNS)
    paper = Paper(columns, None, locale_has_unicode(sys.stdout.encoding))
    written = io.StringIO()
    console = Console(
        file=written,
        width=columns,
        force_terminal=is_terminal,
        color_system="standard" if is_terminal else None,
        no_color=bool(os.environ.get("NO_COLOR")),
        legacy_windows=False,
    )
    for line in page_lines(WatchedRun(run).frame, View(), paper):
        line.rstrip()
        console.print(line, crop=False, overflow="ignore", highlight=False)
    return written.getvalue().rstrip("\n").split("\n")


def frame_json(run: Run) -> dict[str, Any]:
    """Returns the data of one frame of a run, as JSON values.

    Raises:
        RunError: The run cannot be read.
    """
    return _json(WatchedRun(run).frame)


def _json(frame: Frame) -> dict[str, Any]:
    parts = ("curves", "ranks", "alerts", "on", "checkpoints")
    known = {name: _whole(value) for name, value in vars(frame).items() if name not in parts}
    return {
        **known,
        "curves": [
            {"name": c.name, "train": _points(c.train), "evaluation": _points(c.evaluation)}
            for c in frame.curves
        ],
        "ranks": [asdict(row) for row in frame.ranks],
        "alerts": [
            {**alert.to_json(), "is_on": any(alert is on for on in frame.on)}
            for alert in frame.alerts
        ],
        "checkpoints": [vars(each) for each in frame.checkpoints],
    }


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _points(points: Points) -> dict[str, Any]:
    kept = downsample(points.step, points.value, _POINTS)
    return {
        "step": [_whole(step) for step in points.step[kept].tolist()],
        "time": points.time[kept].tolist(),
        "value": points.value[kept].tolist(),
    }
