"""Signals that end a command, each as Ctrl-C does, with the exit code of its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_TWICE_S = 1.0
"""Seconds in which a second signal is the same one: a terminal, `timeout` and schedulers send one
to a process and to its group."""


class Signals:
    """Ends what the main thread does by a KeyboardInterrupt, at the first signal that asks for it.

    At the second the process ends at once: what is saved stays, what is being saved does not. A
    shell has background jobs ignore SIGINT, and `nohup` SIGHUP: they still do.

    Attributes:
        received: The number of the first signal; None before.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._at = 0.0
        for number in _ENDING:
            if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._take)
        # A process that is forked off, as by a dataset of the user's, ends by them as any other.
        os.register_at_fork(after_in_child=self._leave_to_child)

    @property
    def exit_code(self) -> int:
        """As a shell has it of a process that a signal ended: 130 after Ctrl-C, 143 after SIGTERM,
        129 after SIGHUP."""
        return 128 + (self.received or signal.SIGINT)

    def forget(self) -> None:
        """What was asked for is answered, and the command goes on."""
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
