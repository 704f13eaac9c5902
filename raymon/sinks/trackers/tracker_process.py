"""The process of a tracker, seen from the reporter."""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from raymon.sinks.trackers.client import LENGTH, TrackerClient

_HOST = "raymon.sinks.trackers.host"
_PART = 1 << 16


class TrackerProcess:
    """A process that makes the calls to a tracker's library, each within a time.

    The library may hang, print, start threads and processes, and do things at exit: none of that
    reaches the process of the reporter, which may be that of the training. It needs no CPU of the
    training thread either, and is killed when it does not answer in time.

    Args:
        client: Makes the calls.
        environment: Further environment variables of the process.
    """

    def __init__(self, client: TrackerClient, environment: Mapping[str, str]) -> None:
        self._client = client
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", _HOST],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **client.environment, **environment, "PYTHONPATH": paths},
            # Ctrl-C is for the run, which then says what is left to be written.
            start_new_session=True,
        )
        self._lock = threading.Lock()
        self._began = False

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def call(self, method: str, *arguments: Any, timeout_s: float) -> tuple[Any, list[str]]:
        """Calls a method of the client.

        Args:
            method: Name of the method.
            arguments: Its arguments.
            timeout_s: Seconds after which the process is killed.

        Returns:
            What it returned, and notices for people.

        Raises:
            OSError: What it raised.
            TimeoutError: It has not returned in time.
            ConnectionError: The process has ended.
        """
        deadline = time.monotonic() + timeout_s
        parts = [pickle.dumps((method, arguments))]
        if not self._began:
            parts.insert(0, pickle.dumps(self._client))
        try:
            self._write(b"".join(parts), deadline)
            self._began = True
            value, error, notes = self._read(deadline)
        except (OSError, EOFError, pickle.UnpicklingError) as failure:
            late = time.monotonic() >= deadline
            self.kill()
            where = self._client.where
            if late:
                raise TimeoutError(f"{where} has not answered for {timeout_s:g} s") from None
            status = self._process.returncode
            raise ConnectionError(f"its process ended with status {status}: {failure}") from None
        if error is not None:
            raise error
        return value, notes

    def end(self, timeout_s: float) -> None:
        """Lets the process end, and kills it if it has not in time."""
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        self.kill()

    def kill(self) -> None:
        """Kills the process, with what it started."""
        with self._lock, suppress(ProcessLookupError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _write(self, data: bytes, deadline: float) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        os.set_blocking(pipe.fileno(), False)
        left = memoryview(data)
        while left:
            _wait(pipe.fileno(), select.POLLOUT, deadline)
            left = left[os.write(pipe.fileno(), left[:_PART]) :]

    def _read(self, deadline: float) -> Any:
        (size,) = LENGTH.unpack(self._read_bytes(LENGTH.size, deadline))
        return pickle.loads(self._read_bytes(size, deadline))

    def _read_bytes(self, count: int, deadline: float) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None
        data = bytearray()
        while len(data) < count:
            _wait(pipe.fileno(), select.POLLIN, deadline)
            part = os.read(pipe.fileno(), min(_PART, count - len(data)))
            if not part:
                raise EOFError("no answer")
            data += part
        return bytes(data)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
