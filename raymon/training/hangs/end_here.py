"""The end of a run in this process whose training thread hangs."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import threading
from types import FrameType, TracebackType

from raymon.errors import TrainingError

_log = logging.getLogger("raymon")

_SIGNAL = signal.SIGRTMAX - 4
"""A signal to the main thread that nothing else sends."""

_PATIENCE_S = 15.0
"""Seconds that the training thread has to end; then the process ends, with exit code 1."""


class EndHere:
    """Within its context the thread that entered it can be ended by another one.

    An exception is raised in it. A signal does that also where it waits in Python, as in a lock, a
    socket or a sleep, if it is the main thread. If it does not end all the same, as in code of
    another language, the process does.
    """

    def __init__(self) -> None:
        self._thread = 0
        self._is_main = False
        self._why = ""
        self._over = threading.Event()

    def __enter__(self) -> EndHere:
        self._thread = threading.get_ident()
        self._is_main = threading.current_thread() is threading.main_thread()
        if self._is_main:
            signal.signal(_SIGNAL, self._raise)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._is_main:
            signal.signal(_SIGNAL, signal.SIG_IGN)
        if isinstance(error, _HangError):
            raise TrainingError(self._why) from error

    def end(self, why: str) -> None:
        """Ends the thread, or else the process.

        Args:
            why: Text of the exception, in one line.
        """
        self._why = why
        if self._is_main:
            signal.pthread_kill(self._thread, _SIGNAL)
        else:
            thread = ctypes.c_ulong(self._thread)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_HangError))
        if not self._over.wait(_PATIENCE_S):
            _log.error("%s; it does not end, so that the process does", why)
            logging.shutdown()
            os._exit(1)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        if not self._over.is_set():
            raise _HangError


class _HangError(Exception):
    """Raised in a thread that hangs; one that is raised by another thread can have no text."""
