"""Pages over runs: raymon's board, and TensorBoard."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.harness.free_port import free_port

_STARTS_S = 180.0

LAST_STEPS = (
    "[...document.querySelectorAll('.js-plotly-plot')].flatMap((plot) => plot.data ?? [])"
    ".filter((curve) => curve.x?.length).map((curve) => Number(curve.x.at(-1)))"
)
"""Last step of each curve that raymon's page has drawn."""


@dataclass(frozen=True)
class Page:
    """A server of a page.

    Attributes:
        url: Address of the page of a run.
        process: The server.
    """

    url: str
    process: psutil.Process

    @property
    def mib(self) -> float:
        """Resident memory of the server and of what it has started, in MiB."""
        return sum(each.memory_info().rss for each in self._all()) / 2**20

    @property
    def cpu_s(self) -> float:
        """CPU time of the server and of what it has started, in seconds."""
        return sum(sum(each.cpu_times()[:2]) for each in self._all())

    def cpu_percent(self, seconds: float) -> float:
        """Returns the use of a core over some seconds, in percent."""
        before = self.cpu_s
        time.sleep(seconds)
        return 100 * (self.cpu_s - before) / seconds

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def board(run: Path) -> Iterator[Page]:
    """Gives raymon's page over a run; the run is read when its page is."""
    port = free_port()
    command = [sys.executable, "-m", "raymon", "board", str(run), "--port", str(port)]
    with _started(command) as process:
        _wait(f"http://127.0.0.1:{port}/api/runs", lambda body: b'"id"' in body)
        runs = json.loads(_get(f"http://127.0.0.1:{port}/api/runs"))["runs"]
        yield Page(f"http://127.0.0.1:{port}/run/{runs[0]['id']}", process)


@contextmanager
def tensorboard(run: Path, last_step: int) -> Iterator[Page]:
    """Gives TensorBoard over a run, once it has read the files up to a step."""
    port = free_port()
    program = str(Path(sys.executable).with_name("tensorboard"))
    with _started([program, "--logdir", str(run), "--port", str(port)]) as process:
        url = f"http://127.0.0.1:{port}/"
        scalars = f"{url}data/plugin/scalars/scalars?tag=loss%2Ftotal&run=."
        _wait(scalars, lambda body: f",{last_step},".encode() in body.replace(b" ", b""))
        yield Page(url, process)


@contextmanager
def _started(command: list[str]) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


def _wait(url: str, is_there: Callable[[bytes], bool]) -> None:
    deadline = time.monotonic() + _STARTS_S
    while True:
        with suppress(OSError):
            if is_there(_get(url)):
                return
        assert time.monotonic() < deadline, f"{url} is not there"
        time.sleep(0.2)
