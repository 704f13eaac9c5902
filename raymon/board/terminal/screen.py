"""The terminal that a run is watched on: taken for a while, and given back as it was."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from rich.console import Console, Group
from rich.region import Region
from rich.screen import Screen as RichScreen
from rich.text import Text

from raymon.board.terminal.paper import Paper, locale_has_unicode

_TYPED = 1024
_SIZE = os.terminal_size((80, 24))


class Screen:
    """A full screen on standard output, with keys of standard input if that is a terminal.

    As a context it takes the terminal: alternate screen, no cursor, keys without echo. It gives it
    back as it was, whatever ends it, and also while the process is stopped by Ctrl-Z.
    """

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        self._has_unicode = locale_has_unicode(sys.stdout.encoding)
        self._keys = _keyboard()
        self._kept: list[Any] | None = None
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        self._handlers: dict[int, Any] = {}

    @property
    def has_keys(self) -> bool:
        """Whether keys can be pressed."""
        return self._keys is not None

    @property
    def paper(self) -> Paper:
        """The paper, of the size that the terminal has now."""
        try:
            size = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            size = _SIZE
        # A terminal may not know its size.
        return Paper(size.columns or _SIZE.columns, size.lines or _SIZE.lines, self._has_unicode)

    def __enter__(self) -> Screen:
        for number, take in ((signal.SIGWINCH, self._wake), (signal.SIGTSTP, self._pause)):
            self._handlers[number] = signal.signal(number, take)
        try:
            self._take()
        except BaseException:
            self._give_back()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._give_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._wakes)
        os.close(self._woken)

    def draw(self, lines: Sequence[Text]) -> None:
        """Draws a frame over the one before."""
        paper = self.paper
        region = Region(0, 0, paper.width, paper.height or _SIZE.lines)
        self._console.update_screen(RichScreen(Group(*lines)), region=region)

    def wait(self, seconds: float) -> bytes | None:
        """Waits for keys, for another size of the terminal, or for some time.

        Returns:
            What was typed; empty if the size is another one, None if the time is over.
        """
        until = time.monotonic() + seconds
        while True:
            sources = [self._woken] + ([] if self._keys is None else [self._keys])
            ready, _, _ = select.select(sources, [], [], max(until - time.monotonic(), 0))
            if not ready:
                return None
            if self._woken in ready:
                os.read(self._woken, _TYPED)
                return b""
            typed = self._typed()
            if typed:
                return typed
            # The terminal is closed, or standard input is at its end.
            self._keys = None

    def _typed(self) -> bytes:
        assert self._keys is not None
        with suppress(OSError):
            return os.read(self._keys, _TYPED)
        return b""

    def _take(self) -> None:
        if self._keys is not None:
            self._kept = termios.tcgetattr(self._keys)
            tty.setcbreak(self._keys, termios.TCSANOW)
        self._console.set_alt_screen(True)
        self._console.show_cursor(False)

    def _give_back(self) -> None:
        # The terminal may be gone.
        with suppress(OSError, ValueError, termios.error):
            self._console.show_cursor(True)
            self._console.set_alt_screen(False)
            sys.stdout.flush()
        if self._kept is not None and self._keys is not None:
            with suppress(OSError, termios.error):
                termios.tcsetattr(self._keys, termios.TCSADRAIN, self._kept)

    def _wake(self, number: int, frame: FrameType | None) -> None:
        with suppress(BlockingIOError):
            os.write(self._wakes, b"\0")

    def _pause(self, number: int, frame: FrameType | None) -> None:
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        # From here on it goes on again.
        signal.signal(signal.SIGTSTP, self._pause)
        self._take()
        self._wake(number, frame)


def _keyboard() -> int | None:
    """Returns the descriptor of standard input if that is a terminal."""
    try:
        return sys.stdin.fileno() if sys.stdin.isatty() else None
    except (AttributeError, OSError, ValueError):
        return None
