"""One Ray cluster for all integration tests, and the command line as a process.

Both have only what an installation of raymon brings: neither finds by chance what tests and
benchmarks need, nor what torchmetrics imports if it is there, which takes a second per process.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pytest

from benchmarks.harness.free_port import free_port
from raymon.cli.main import main
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
def client_address(ray_address: str) -> str:
    """The address of the same cluster for drivers elsewhere, by Ray Client."""
    import ray

    node = ray._private.worker._global_node
    host, port = node.node_ip_address, free_port()
    # As `ray start --head --ray-client-server-port` does, for which `ray.init` has no argument.
    node._ray_params.ray_client_server_port = port
    with patch.object(sys, "executable", installed_python()):
        node.start_ray_client_server()
    deadline = time.monotonic() + 60
    while True:
        with suppress(OSError):
            socket.create_connection((host, port), timeout=1).close()
            return f"ray://{host}:{port}"
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="session")
def left_alone(
    ray_address: str, click_log: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict]:
    """The run that `kills.start` begins, to which nothing happens, and its summary."""
    from tests.integration import kills

    directory = tmp_path_factory.mktemp("left_alone")
    return directory / "run", kills.finish(kills.start(directory, click_log, ray_address))


@pytest.fixture
def raymon_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in this process, which has imported all and is on the cluster."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = ["raymon", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", words)
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setenv("RAYMON_LOG_LEVEL", "INFO")
        with pytest.raises(SystemExit) as ended:
            main()
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), *capsys.readouterr())

    return run


def start_raymon(
    *arguments: object, address: str | None = None, cwd: Path | None = None
) -> subprocess.Popen[str]:
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
        cwd=cwd,
    )


def run_raymon(
    *arguments: object, address: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the command line to its end."""
    process = start_raymon(*arguments, address=address, cwd=cwd)
    output, errors = process.communicate(timeout=240)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)
