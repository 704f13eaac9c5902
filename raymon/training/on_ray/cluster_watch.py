"""Detects that the Ray cluster of a run is gone, and ends a Ray that this process started."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from raymon import ray_internals

_log = logging.getLogger("raymon")

_LOOK_S = 0.5
_PROBE_S = 5.0
_GROUP_S = 0.4

_PATIENCE_S = 45.0
"""Seconds without an answer of a remote cluster; after 60 s Ray aborts the process."""

_WAKE = signal.SIGRTMAX
"""A signal to the main thread that nothing else sends."""

_VITAL = {"gcs_server": "GCS", "raylet": "raylet"}


class ClusterWatch:
    """Interrupts the main thread if it waits for a Ray that is gone.

    Ray itself waits for a minute, and then aborts the process.

    Attributes:
        woke: Whether the main thread was interrupted.
    """

    def __init__(self) -> None:
        self.woke = False
        self._gone: str | None = None
        self._over = threading.Event()
        self._node: Any = ray_internals.local_node()
        self._unanswered_since: float | None = None
        self._takes_signals = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> ClusterWatch:
        if self._takes_signals and self._node is not None:
            signal.signal(_WAKE, self._wake)
            threading.Thread(target=self._watch, name="raymon-cluster", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._takes_signals and self._node is not None:
            signal.signal(_WAKE, signal.SIG_IGN)

    def gone(self) -> str | None:
        """Returns which part of Ray is gone, in one line; None if nothing is known to be gone."""
        if self._gone is None and self._node is not None:
            self._gone = self._dead_process()
        return self._gone

    def gone_with_group(self) -> str | None:
        """Returns what `gone` does, after a signal that may have reached the whole process group.

        Waits a moment for the processes of Ray to end, because Ray aborts a process that calls it
        then.
        """
        deadline = time.monotonic() + _GROUP_S
        names = {} if self._node is None else {name: name for name in self._node.all_processes}
        while names and self._gone is None and time.monotonic() < deadline:
            self._gone = self._dead_process(names)
            time.sleep(0.02)
        return self._gone

    def _dead_process(self, names: Mapping[str, str] = _VITAL) -> str | None:
        # Only processes that this process has started are known.
        for name, what in names.items():
            for started in self._node.all_processes.get(name, ()):
                code = started.process.poll()
                if code is not None:
                    return (
                        f"Ray's {what}, process {started.process.pid} of this machine, ended with "
                        f"exit code {code}; its logs are in {self._node.get_logs_dir_path()}"
                    )
        return None

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            if self.gone() is None and not self._node.all_processes:
                self._probe()
            if self._gone is not None:
                signal.pthread_kill(threading.main_thread().ident or 0, _WAKE)
                return

    def _probe(self) -> None:
        host, _, port = str(self._node.gcs_address).rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S).close()
            self._unanswered_since = None
        except OSError as error:
            now = time.monotonic()
            if self._unanswered_since is None:
                self._unanswered_since = now
                _log.warning(
                    "Ray's GCS at %s:%s does not answer (%s); the run ends after %g s of that",
                    *(host, port, error, _PATIENCE_S),
                )
            elif now - self._unanswered_since >= _PATIENCE_S:
                self._gone = f"Ray's GCS at {host}:{port} does not answer: {error}"

    def _wake(self, number: int, frame: FrameType | None) -> None:
        if self._gone is not None and not self._over.is_set():
            self.woke = True
            raise KeyboardInterrupt


_GUARD = """
import os, sys, time
session, driver, mark = sys.argv[1] + "/", int(sys.argv[2]), sys.argv[3].encode()
while os.getppid() == driver:
    time.sleep(0.5)
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            command = file.read()
        if not command.startswith(b"ray::") and mark not in command:
            continue
        files = [os.readlink(f.path) for f in os.scandir(f"/proc/{process}/fd")]
        if any(file.startswith(session) for file in files):
            os.kill(int(process), 9)
    except OSError:
        pass
"""
"""Script that waits for a process to end, and then kills the Ray processes of a session.

It finds those that have the logs of the session open.
"""


class StartedRay:
    """The Ray that this process has started; it ends with this process, for whatever reason.

    The kernel ends the direct children of this process; the agents of the raylet would look for
    their raylet for minutes.
    """

    def __init__(self) -> None:
        self._node: Any = ray_internals.local_node()
        self._behind = self._guard(os.getpid())

    def end(self) -> None:
        """Kills all Ray processes at once, if Ray can no longer end them."""
        with suppress(Exception):
            self._node.kill_all_processes(check_alive=False, allow_graceful=False)
        # The script waits while its parent is the given process, which is never process 0.
        guard = self._guard(0)
        if guard is not None:
            guard.wait()

    def _guard(self, driver: int) -> subprocess.Popen[bytes] | None:
        session = os.path.realpath(self._node.get_session_dir_path())
        mark = ray_internals.DAEMON_MARK.decode()
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _GUARD, session, str(driver), mark],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return None
