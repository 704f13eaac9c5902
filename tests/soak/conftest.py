"""What takes long: by `make soak`.

It needs root, the extra `soak`, and Debian's packages `prometheus`, `chromium` and `iproute2`
(`apt-get install --no-install-recommends prometheus chromium iproute2`). A test fails where what it
needs is missing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.integration.conftest import ray_address

__all__ = ["ray_address"]

# Those of the server below, here so that a Ray cluster has them whenever it starts.
os.environ["AWS_ACCESS_KEY_ID"] = "key"
os.environ["AWS_SECRET_ACCESS_KEY"] = "secret"
os.environ["AWS_REGION"] = "us-east-1"


@pytest.fixture
def s3_server() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server that plays S3: its address, and its process."""
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
    """The address of the server, which the usual variable of the environment tells."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{s3_server[0]}")
    return s3_server[0]
