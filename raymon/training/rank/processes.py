"""The end of a process of this machine that hangs."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from raymon.errors import os_reason

_OF_RAY = b"ray::"
"""Beginning of the command line of each process that Ray runs code in."""


def kill_process(pid: int) -> str | None:
    """Ends a worker of Ray by SIGKILL, also one that is stopped.

    Args:
        pid: Id of the process.

    Returns:
        Why it could not be done; None if it was, or if there is no such process any more.
    """
    with suppress(OSError):
        # The process may have ended, and its id be that of another one.
        if not Path(f"/proc/{pid}/cmdline").read_bytes().startswith(_OF_RAY):
            return f"process {pid} is no worker of Ray"
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    except OSError as error:
        return os_reason(error)
    return None
