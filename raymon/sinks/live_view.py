"""What shows progress live: bars on a terminal, an output in a notebook."""

from __future__ import annotations

from typing import Protocol

from raymon.results import Published


class LiveView(Protocol):
    """Shows bars, and maybe what was published, in place."""

    def start(self) -> None:
        """Begins to draw."""

    def stop(self, error: type[BaseException] | None = None) -> None:
        """Stops drawing, and leaves what is drawn.

        Args:
            error: What ended it; None if it ended well.
        """

    def take(self, published: Published) -> None:
        """Takes what was published, for views that show what was."""

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
        """Draws a bar.

        Args:
            name: Name of the bar.
            description: Text before the bar.
            completed: Steps so far.
            total: Steps in all; None shows neither percent nor remaining time.
            numbers: Text after the bar.
            stalls: Whether nothing goes on, so that the remaining time is not known.
        """

    def end(self, name: str) -> None:
        """Removes a bar, if there is one of the name."""
