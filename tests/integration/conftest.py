"""One Ray cluster for all integration tests, and the command line as a process.

Both have only what an installation of raymon brings: neither finds by chance what tests and
benchmarks need, nor what torchmetrics imports if it is there, which takes a second per process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.installed import installed_python

RAY_TRAIN = {
    # Seconds until it looks at the workers again: whether they have saved, and whether they end.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.1",
    # Its process takes 1 s of CPU in each attempt, and no node of the cluster goes away.
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
}
"""Settings of Ray Train for runs of the command line; runs of scripts have its own."""


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    """The address of a Ray cluster of four CPUs on this machine."""
    import ray

    # What a node starts runs on the Python that started it.
    with patch.object(sys, "executable", installed_python()):
        # Its own, whatever else runs on this machine.
        ray.init(
            address="local",
            num_cpus=4,
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
        )
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


@pytest.fixture(scope="session")
def left_alone(
    ray_address: str, click_log: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict]:
    """The run that `kills.start` begins, to which nothing happens, and its summary."""
    from tests.integration import kills

    directory = tmp_path_factory.mktemp("left_alone")
    return directory / "run", kills.finish(kills.start(directory, click_log, ray_address))


def start_raymon(*arguments: object, address: str | None = None) -> subprocess.Popen[str]:
    """Starts the command line as a process."""
    environment = {**os.environ, **RAY_TRAIN, "RAYMON_LOG_LEVEL": "INFO"}
    environment.pop("RAY_ADDRESS", None)
    if address is not None:
        environment["RAY_ADDRESS"] = address
    return subprocess.Popen(
        [installed_python(), "-m", "raymon.cli", *map(str, arguments)],
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
