"""Signals that end a command: all act like Ctrl-C, each with its own exit code."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_TWICE_S = 1.0
"""Seconds within which a second signal is a copy of the first.

A terminal, `timeout` and schedulers send a signal to a process and to its group.
"""


class Signals:
    """Interrupts the main thread by a KeyboardInterrupt at the first signal that ends a command.

    At the second signal the process ends at once: saves that are complete stay, one in progress
    does not. Signals that are ignored stay ignored: a shell makes background jobs ignore SIGINT,
    and `nohup` makes a command ignore SIGHUP.

    Attributes:
        received: Number of the first signal; None if there was none.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._at = 0.0
        for number in _ENDING:
            if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._take)
        # A forked process, such as one of a custom dataset, ends by signals like any other.
        os.register_at_fork(after_in_child=self._leave_to_child)

    @property
    def exit_code(self) -> int:
        """Exit code of a shell for the signal: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP."""
        return 128 + (self.received or signal.SIGINT)

    def forget(self) -> None:
        """Forgets the received signal, because it was handled and the command continues."""
        self.received = None

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received, self._at = number, time.monotonic()
            raise KeyboardInterrupt
        if time.monotonic() - self._at >= _TWICE_S:
            with suppress(OSError):
                os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _AT_ONCE)
            os._exit(self.exit_code)

    def _leave_to_child(self) -> None:
        for number in _ENDING:
            if signal.getsignal(number) == self._take:
                ctrl_c = number == signal.SIGINT
                signal.signal(number, signal.default_int_handler if ctrl_c else signal.SIG_DFL)


_AT_ONCE = b"\nraymon: interrupted again: it ends at once\n"
