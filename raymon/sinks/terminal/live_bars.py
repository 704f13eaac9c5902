"""Live bars on a terminal."""

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

from raymon.results import Published

_ETA_OVER_S = 3600
"""Seconds in the past whose speed gives the remaining time: snapshots may be minutes apart."""


_NARROW = 60
"""Columns of a terminal below which there is no space for a bar, whose columns would be cut off."""


class LiveBars:
    """A live line for each thing that is in progress: bar, percent, remaining time, numbers.

    Args:
        terminal: Terminal that is drawn on.
    """

    def __init__(self, terminal: RichConsole) -> None:
        self._tasks: dict[str, TaskID] = {}
        self._completed: dict[str, int] = {}
        self._progress = _BarsAndNumbers(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            _Done(),
            _Remaining(compact=True),
            console=terminal,
            refresh_per_second=4,
            speed_estimate_period=_ETA_OVER_S,
        )

    def start(self) -> None:
        """Begins to draw."""
        self._progress.start()

    def stop(self, error: type[BaseException] | None = None) -> None:
        """Stops drawing, and leaves the lines as they are; see `LiveView.stop`."""
        self._progress.stop()

    def take(self, published: Published) -> None:
        """Does nothing, as bars show no past."""

    def show(
        self,
        name: str,
        description: str,
        completed: int,
        total: int | None,
        numbers: str,
        *,
        stalls: bool = False,
    ) -> None:
        """Draws a bar; one that goes back measures its speed from there.

        Args:
            name: Name of the bar.
            description: Text before the bar.
            completed: Steps so far.
            total: Steps in all; None shows neither percent nor remaining time.
            numbers: Text after the bar.
            stalls: Whether nothing goes on, so that the remaining time is not known.
        """
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(
                description, total=total, numbers="", stalls=False
            )
        elif completed < self._completed[name]:
            self._progress.reset(
                self._tasks[name], completed=completed, numbers=numbers, stalls=stalls
            )
        self._completed[name] = completed
        self._progress.update(
            self._tasks[name],
            description=description,
            completed=completed,
            total=total,
            numbers=numbers,
            stalls=stalls,
        )

    def end(self, name: str) -> None:
        """Removes a bar, if there is one of the name."""
        if name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))


class _Remaining(TimeRemainingColumn):
    def render(self, task: Task) -> Text:
        return Text("--:--") if task.fields["stalls"] else super().render(task)


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
        yield _FittingLayout(self.make_tasks_table(self.tasks), words, numbers)


@dataclass(frozen=True)
class _FittingLayout:
    """The numbers after their bars, or below them on a terminal that is too narrow for both.

    A terminal that is too narrow even for the bars gets words instead of them.
    """

    bars: Table
    words: Group
    numbers: Group

    def __rich_console__(self, console: RichConsole, options: ConsoleOptions) -> RenderResult:
        widths = (console.measure(part).maximum for part in (self.bars, self.numbers))
        if options.max_width < _NARROW:
            yield self.words
            yield self.numbers
        elif sum(widths) < options.max_width:
            row = Table.grid(padding=(0, 1))
            row.add_row(self.bars, self.numbers)
            yield row
        else:
            yield self.bars
            yield self.numbers
