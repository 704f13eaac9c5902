r"""Tests that take long, which `make soak` runs.

They need root, the extra `soak`, and Debian's packages `prometheus`, `chromium`, `iproute2`,
`rsyslog`, `slurm-wlm`, `munge`, `podman`, `runc`, `catatonit` and `debootstrap`:

    apt-get install --no-install-recommends prometheus chromium iproute2 rsyslog \
        slurm-wlm munge podman runc catatonit debootstrap

A test fails if what it needs is missing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.integration.conftest import left_alone, ray_address

__all__ = ["left_alone", "ray_address"]

# Those of the server below, here so that a Ray cluster has them whenever it starts.
os.environ["AWS_ACCESS_KEY_ID"] = "key"
os.environ["AWS_SECRET_ACCESS_KEY"] = "secret"
os.environ["AWS_REGION"] = "us-east-1"


@pytest.fixture
def s3_server() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address and the process of a server that imitates S3."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", address.split(":")[1]]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(address):
            assert server.poll() is None
            time.sleep(0.1)
        yield address, server
    finally:
        server.kill()
        server.wait()


def _answers(address: str) -> bool:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def endpoint(
    s3_server: tuple[str, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> str:
    """The address of the server, which is also in the usual environment variable."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{s3_server[0]}")
    return s3_server[0]
