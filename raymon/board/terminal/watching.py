"""Watches a run on a terminal, until a key ends it."""

from __future__ import annotations

import time
from dataclasses import replace

from raymon.board.terminal.keys import keys_of, pressed
from raymon.board.terminal.pages import View, page_lines
from raymon.board.terminal.screen import Screen
from raymon.board.terminal.watched_run import WatchedRun
from raymon.runs import Run


def watch_run(run: Run, interval_s: float) -> None:
    """Shows a run on the terminal of standard output, until a key ends it.

    Args:
        run: The run.
        interval_s: Seconds between two looks at it, at least.

    Raises:
        RunError: The run is gone, or cannot be read.
    """
    watched = WatchedRun(run)
    with Screen() as screen:
        view = View(has_keys=screen.has_keys)
        next_look = time.monotonic() + watched.next_s(interval_s)
        is_drawn = False
        while True:
            if not is_drawn:
                screen.draw(page_lines(watched.frame, view, screen.paper))
                is_drawn = True
            typed = screen.wait(max(next_look - time.monotonic(), 0))
            if typed is None:
                is_drawn = not watched.look()
                next_look = time.monotonic() + watched.next_s(interval_s)
                continue
            is_drawn = False
            for key in keys_of(typed):
                if key == "end":
                    return
                view = pressed(view, key, watched.frame)
            view = replace(view, has_keys=screen.has_keys)
