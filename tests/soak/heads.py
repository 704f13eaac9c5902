"""A head of a Ray cluster as people start it, `ray start --head`, with a dashboard."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.harness.free_port import free_port


@dataclass(frozen=True)
class Head:
    """A running head.

    Attributes:
        dashboard: Address of the dashboard, for jobs and for people.
        client: Address for drivers elsewhere.
        token: Token of the cluster; None if it needs none.
        environment: Environment of a process that may use the cluster.
        process: Process that started it.
    """

    dashboard: str
    client: str
    token: str | None
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> bytes:
        """Returns what the dashboard answers."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = urllib.request.Request(self.dashboard + path, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return bytes(response.read())


@contextmanager
def started_head(directory: Path, *, with_token: bool, num_cpus: int = 4) -> Iterator[Head]:
    """Starts a head that ends with the block.

    Args:
        directory: Directory of its token.
        with_token: Whether it needs a token.
        num_cpus: Number of CPUs that it offers.
    """
    gcs, dashboard, agent, client = (free_port() for _ in range(4))
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled"}
    # As in a virtual environment that is activated: `python` is the one with raymon.
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    for name in ("RAY_ADDRESS", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        environment.pop(name, None)
    token = None
    if with_token:
        token = uuid.uuid4().hex
        (directory / "token").write_text(token)
        environment |= {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(directory / "token"),
        }
    words = ["start", "--head", "--block", f"--port={gcs}", f"--num-cpus={num_cpus}"]
    words += [f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}"]
    words += ["--node-ip-address=127.0.0.1", f"--ray-client-server-port={client}"]
    # Short, since Ray puts sockets in it.
    temporary = tempfile.mkdtemp(prefix="ray-")
    words += ["--disable-usage-stats", f"--temp-dir={temporary}"]
    ray = Path(sys.executable).with_name("ray")
    process = subprocess.Popen(
        [ray, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    head = Head(
        f"http://127.0.0.1:{dashboard}", f"ray://127.0.0.1:{client}", token, environment, process
    )
    try:
        deadline = time.monotonic() + 120
        while not _answers(head):
            assert process.poll() is None, "ray start ended"
            assert time.monotonic() < deadline, "no dashboard after two minutes"
            time.sleep(0.5)
        yield head
    finally:
        for child in (*psutil.Process(process.pid).children(recursive=True), process):
            child.kill()
        process.wait()
        shutil.rmtree(temporary, ignore_errors=True)


def _answers(head: Head) -> bool:
    """Returns whether the dashboard and the server for clients are there; the latter comes last."""
    host, _, port = head.client.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return bool(head.get("/api/jobs/"))
    except OSError:  # an HTTPError is one too
        return False
