"""Bars on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

_ETA_OVER_S = 3600
"""Seconds before now whose speed tells the time that remains: snapshots may be minutes apart."""


_NARROW = 60
"""Columns below which there is no room for a bar, and its columns would be cut off."""


class LiveBars:
    """A live line for each thing that goes on: bar, percent, time that remains, numbers.

    Args:
        terminal: Drawn on.
    """

    def __init__(self, terminal: RichConsole) -> None:
        self._tasks: dict[str, TaskID] = {}
        self._completed: dict[str, int] = {}
        self._progress = _BarsAndNumbers(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            _Done(),
            TimeRemainingColumn(compact=True),
            console=terminal,
            refresh_per_second=4,
            speed_estimate_period=_ETA_OVER_S,
        )

    def start(self) -> None:
        """Begins to draw."""
        self._progress.start()

    def stop(self) -> None:
        """Leaves the lines as they are."""
        self._progress.stop()

    def show(
        self, name: str, description: str, completed: int, total: int | None, numbers: str
    ) -> None:
        """Draws a bar; one that goes back begins to measure its speed anew. Where the total is not
        known there is neither percent nor time that remains."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(description, total=total, numbers="")
        elif completed < self._completed[name]:
            self._progress.reset(self._tasks[name], completed=completed, numbers=numbers)
        self._completed[name] = completed
        self._progress.update(
            self._tasks[name],
            description=description,
            completed=completed,
            total=total,
            numbers=numbers,
        )

    def end(self, name: str) -> None:
        """Takes a bar away, if there is one."""
        if name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))


class _Done(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(_done(task))


def _done(task: Task) -> str:
    if task.total is None:
        return f"{task.completed:.0f}it"
    return f"{task.percentage:>3.0f}% {task.completed:.0f}/{task.total:.0f}"


class _BarsAndNumbers(Progress):
    def get_renderables(self) -> Iterable[RenderableType]:
        numbers = Group(*(Text(task.fields["numbers"]) for task in self.tasks))
        words = Group(*(Text(f"{task.description} {_done(task)}") for task in self.tasks))
        yield _BesideOrBelow(self.make_tasks_table(self.tasks), words, numbers)


@dataclass(frozen=True)
class _BesideOrBelow:
    """Numbers behind their bars, or below where the terminal is too narrow for both; words in the
    place of bars where it is too narrow for those."""

    bars: Table
    words: Group
    numbers: Group

    def __rich_console__(self, console: RichConsole, options: ConsoleOptions) -> RenderResult:
        widths = (console.measure(part).maximum for part in (self.bars, self.numbers))
        if options.max_width < _NARROW:
            yield self.words
            yield self.numbers
        elif sum(widths) < options.max_width:
            beside = Table.grid(padding=(0, 1))
            beside.add_row(self.bars, self.numbers)
            yield beside
        else:
            yield self.bars
            yield self.numbers
