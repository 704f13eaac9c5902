"""One Ray cluster for all integration tests, and the command line as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    """The address of a Ray cluster of four CPUs on this machine."""
    import ray

    ray.init(num_cpus=4, log_to_driver=False, configure_logging=False)
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


def start_raymon(*arguments: object, address: str | None = None) -> subprocess.Popen[str]:
    """Starts the command line as a process of its own."""
    environment = {**os.environ, "RAYMON_LOG_LEVEL": "INFO"}
    environment.pop("RAY_ADDRESS", None)
    if address is not None:
        environment["RAY_ADDRESS"] = address
    return subprocess.Popen(
        [sys.executable, "-m", "raymon.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def run_raymon(*arguments: object, address: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command line to its end."""
    process = start_raymon(*arguments, address=address)
    output, errors = process.communicate(timeout=240)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)
