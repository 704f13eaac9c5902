"""The network between two nodes is cut for a minute and heals; each is in a network namespace.

It needs root and `ip` of iproute2, as Debian's package has it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.conftest import CONFIG
from tests.integration.kills import SETTINGS, assert_same, finish, reported_step, wait_for

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

STEPS = 4000
# Rows of all workers, in an order that none of them changes.
LONG = ("train_config.num_epochs=200", "train_config.save_checkpoints_steps=200")
CUT_S = 60
HEAD, OTHER = "10.213.0.1", "10.213.0.2"
PORT = 6399
CABLE = "cable"


class _Network:
    """Two hosts that are connected by a cable."""

    def __init__(self) -> None:
        name = uuid.uuid4().hex[:6]
        self.head, self.other = f"rh{name}", f"ro{name}"

    def make(self) -> None:
        for host in (self.head, self.other):
            _ip("netns", "add", host)
            _ip("-n", host, "link", "set", "lo", "up")
        _ip("link", "add", CABLE, "netns", self.head, "type", "veth",
            "peer", "name", CABLE, "netns", self.other)  # fmt: skip
        for host, address in ((self.head, HEAD), (self.other, OTHER)):
            _ip("-n", host, "address", "add", f"{address}/24", "dev", CABLE)
            _ip("-n", host, "link", "set", CABLE, "up")

    def cut(self) -> None:
        _ip("-n", self.head, "link", "set", CABLE, "down")

    def heal(self) -> None:
        _ip("-n", self.head, "link", "set", CABLE, "up")

    def remove(self) -> None:
        for host in (self.head, self.other):
            subprocess.run(["ip", "netns", "delete", host], check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=30)


class _Node:
    """A node of Ray on a host, which is restarted when it ends, as pods are."""

    def __init__(self, host: str, *words: str) -> None:
        ray = Path(sys.executable).with_name("ray")
        self._temporary = tempfile.mkdtemp(prefix="rn-")
        self._command = ["ip", "netns", "exec", host, str(ray), "start", "--block"]
        self._command += ["--num-cpus=1", "--disable-usage-stats", *words]
        if "--head" in words:
            self._command += [f"--temp-dir={self._temporary}"]
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._thread.start()

    def _supervise(self) -> None:
        # The name of this machine is another one's too, so torch is told where they meet.
        environment = {
            **os.environ, "RAY_AUTH_MODE": "disabled", "GLOO_SOCKET_IFNAME": CABLE
        }  # fmt: skip
        environment.pop("RAY_ADDRESS", None)
        while not self._over.is_set():
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen(
                self._command, env=environment, stdout=quiet, stderr=quiet
            )
            self.starts += 1
            self._process.wait()
            self._over.wait(1.0)

    def end(self) -> None:
        self._over.set()
        process = self._process
        if process is not None and process.poll() is None:
            for child in (*psutil.Process(process.pid).children(recursive=True), process):
                child.kill()
        self._thread.join(30)
        shutil.rmtree(self._temporary, ignore_errors=True)


@contextmanager
def two_nodes() -> Iterator[tuple[_Network, _Node]]:
    """A head and another node, with a CPU each."""
    network = _Network()
    nodes: list[_Node] = []
    try:
        network.make()
        words = ("--head", f"--port={PORT}", f"--node-ip-address={HEAD}")
        nodes.append(_Node(network.head, *words, "--include-dashboard=false"))
        time.sleep(5)
        nodes.append(_Node(network.other, f"--address={HEAD}:{PORT}", f"--node-ip-address={OTHER}"))
        yield network, nodes[1]
    finally:
        for node in nodes:
            node.end()
        network.remove()


def train(host: str, directory: Path, click_log: Path) -> subprocess.Popen[str]:
    directory.mkdir()
    config = directory / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=directory / "run"))
    words = [word for setting in (*SETTINGS, *LONG, "ray_config.wait_for_nodes_s=60")
             for word in ("--set", setting)]  # fmt: skip
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAYMON_LOG_LEVEL": "INFO"}
    return subprocess.Popen(
        ["ip", "netns", "exec", host, sys.executable, "-m", "raymon.cli", "train", str(config),
         *words, "--address", f"{HEAD}:{PORT}", "--json"],
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_cut_that_heals_changes_no_number(click_log: Path, tmp_path: Path) -> None:
    with two_nodes() as (network, other):
        finish(train(network.head, tmp_path / "alone", click_log))
        training = train(network.head, tmp_path / "cut", click_log)
        run = tmp_path / "cut" / "run"
        wait_for(lambda: reported_step(run) >= 500, training)
        starts = other.starts
        network.cut()
        print(f"\ncut at step {reported_step(run)}")
        time.sleep(CUT_S)
        network.heal()
        print(f"healed at step {reported_step(run)}")
        output, errors = training.communicate(timeout=900)
        assert training.returncode == 0, errors
        summary = json.loads(output)
        assert summary["status"] == "done"
        assert summary["monitoring"]["windows_lost"] == 0
        assert_same(run, tmp_path / "alone" / "run", STEPS)
        print(
            f"{summary['restarts']} restarts, node started {other.starts - starts} times more; "
            "every number is that of the run without a cut"
        )
