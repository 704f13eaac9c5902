"""The sink that runs a program of the user's for each alert."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress

from raymon.sinks.alert_hooks.hook import AlertHook

_SHOWN = 200


class AlertCommand(AlertHook):
    """A sink that runs a program for each alert, with its JSON on standard input.

    The program runs without a shell, in a session of its own, which is killed as a whole when its
    time is over.

    Args:
        command: Program and its arguments.
        run: Directory or URI that the run writes to.
        timeout_s: Seconds that the program may take.
    """

    def __init__(self, command: Sequence[str], run: str, timeout_s: float) -> None:
        super().__init__(run, timeout_s)
        self._command = list(command)

    def deliver(self, data: bytes) -> None:
        """Runs the program.

        Raises:
            OSError: It cannot be started, failed, or took too long.
        """
        # A file and no pipe: what the program leaves running may hold a pipe open for ever.
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
            try:
                process.communicate(data, timeout=self._timeout_s)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise TimeoutError(f"not over after {self._timeout_s:g} s, and killed") from None
            if process.returncode:
                errors.seek(0)
                lines = errors.read().decode(errors="replace").strip().splitlines()
                said = f": {lines[-1][:_SHOWN]}" if lines else ""
                raise OSError(f"exit status {process.returncode}{said}")
