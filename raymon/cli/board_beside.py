"""The page of a run beside the run: a process that ends with this one."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_log = logging.getLogger("raymon")

_END_S = 5.0


@contextmanager
def board_beside(model_dir: str, port: int | None) -> Iterator[None]:
    """Serves the page of a run on the loopback of this machine, for as long as the context lasts.

    It is a process of its own, which takes nothing of the run's and ends with this process, however
    that ends. What it says becomes log lines; that it cannot be served ends no run.

    Args:
        model_dir: Directory of the run, or its URI.
        port: Port of the page; None for no page.
    """
    if port is None:
        yield
        return
    words = ["-m", "raymon.cli.board_process", model_dir, str(port)]
    process = subprocess.Popen(
        [sys.executable, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # Ctrl-C is for the run, which may take its time to end.
        start_new_session=True,
    )
    threading.Thread(target=_tell, args=(process,), daemon=True).start()
    try:
        yield
    finally:
        with suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        process.kill()


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        failed = line.startswith("raymon: ")
        _log.log(logging.WARNING if failed else logging.INFO, "%s", line.rstrip())
