"""The first lines of a frame: what the run is called, how it is, how far it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from rich.text import Text

from raymon.board.terminal.frame import Frame
from raymon.board.terminal.paper import Paper
from raymon.number_text import count_text, duration_text, number_text
from raymon.sinks import BOUND_SHOWN_ABOVE

_MOST_NOTES = 3

_STYLES = {
    "running": "bold green",
    "starting": "bold green",
    "done": "bold cyan",
    "stopped": "bold cyan",
    "interrupted": "bold yellow",
    "diverged": "bold red",
    "failed": "bold red",
    "killed": "bold red",
}


def header_lines(frame: Frame, paper: Paper) -> list[Text]:
    """Returns the first lines, each as wide as the paper."""
    return [paper.fitted(line) for line in _lines(frame, paper)]


def _lines(frame: Frame, paper: Paper) -> Iterator[Text]:
    yield _name(frame, paper)
    yield _progress(frame, paper)
    if frame.train:
        yield Text("train ", "dim").append_text(_values(frame.train, frame.train_bounds, paper))
    if frame.evaluation:
        step = f"  step {frame.evaluation_step:,.0f}"
        values = _values(frame.evaluation, frame.evaluation_bounds, paper, len(step))
        yield Text("eval  ", "dim").append_text(values).append(step, "dim")
    if frame.error and frame.error not in frame.verdict:
        yield paper.text(f"error: {frame.error}", "red")
    for note in frame.notes[:_MOST_NOTES]:
        yield paper.text(f"note: {note}", "yellow")
    if frame.verdict:
        yield paper.text(frame.verdict, "bold" if frame.status in _STYLES else "")
    if frame.on:
        more = f" (and {len(frame.on) - 1} more)" if len(frame.on) > 1 else ""
        yield paper.text(f"! alert{more}: {frame.on[-1].finding.text}", "bold red")


def _name(frame: Frame, paper: Paper) -> Text:
    line = paper.text(frame.name, "bold").append("  ")
    line.append_text(paper.text(frame.status, _STYLES.get(frame.status, "bold")))
    if frame.stalled_s > 0:
        line.append(f"  no step for {duration_text(frame.stalled_s)}", "bold red")
    if math.isfinite(frame.epoch):
        line.append(f"  epoch {frame.epoch:.0f}", "dim")
    if math.isfinite(frame.world_size):
        line.append(f"  ranks {_count(frame.ranks_heard)}/{_count(frame.world_size)}", "dim")
    if frame.restarts:
        line.append(f"  restarts {_count(frame.restarts)}", "yellow")
    return line


def _progress(frame: Frame, paper: Paper) -> Text:
    known = math.isfinite(frame.total_steps) and frame.total_steps > 0
    words = f"step {_count(frame.step)}"
    if known:
        share = min(frame.step / frame.total_steps, 1)
        # Never rounded up to the end.
        words += f" of {_count(frame.total_steps)}  {math.floor(1000 * share) / 10:g} %"
    if math.isfinite(frame.eta_s):
        words += f"  {duration_text(frame.eta_s)} left"
    if math.isfinite(frame.samples_per_second):
        words += f"  {count_text(frame.samples_per_second)} samples/s"
    bar = min(40, paper.width - len(words) - 2)
    if not known or bar < 8:
        return Text(words)
    done = math.floor(bar * share)
    line = Text(paper.pick("█", "#") * done, "green")
    line.append(paper.pick("░", ".") * (bar - done), "dim")
    return line.append(f"  {words}", "")


def _values(
    values: Mapping[str, float], bounds: Mapping[str, float], paper: Paper, taken: int = 0
) -> Text:
    """Returns those values that fit as a whole, and an ellipsis if there are more.

    Args:
        values: Values by name.
        bounds: Bounds of those that are not exact.
        paper: What they are drawn on.
        taken: Columns that are for something else.
    """
    line, more = Text(), paper.pick("…", "..")
    left = paper.width - len("train ") - taken - len(more)
    for name, value in values.items():
        bound = bounds.get(name, 0.0)
        doubt = f" {paper.pick('±', '+-')}{bound:.3f}" if bound > BOUND_SHOWN_ABOVE else ""
        text = paper.text(f"{name} {number_text(value)}{doubt}  ")
        if line.cell_len + text.cell_len > left:
            return line.append(more)
        line.append_text(text)
    line.rstrip()
    return line


def _count(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else "-"
