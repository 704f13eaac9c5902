"""A run on this machine alone cannot be reached from elsewhere."""

from __future__ import annotations

import ipaddress
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.conftest import start_raymon
from tests.integration.kills import reported_step, wait_for

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]


def test_all_but_the_rendezvous_of_torch_listens_on_the_loopback_interface(
    config_file: Path,
) -> None:
    run = config_file.parent / "run"
    training = start_raymon("train", config_file, "--set", "train_config.num_epochs=10000")
    try:
        wait_for(lambda: reported_step(run) > 100, training)
        elsewhere = [(n, ip) for n, ip in _listening(training.pid) if not _is_loopback(ip)]
        # torch's TCPStore, through which ranks find each other, takes no address to listen on.
        assert {name.startswith("ray::RayTrainWo") for name, _ in elsewhere} <= {True}, elsewhere
        assert len(elsewhere) <= 1, elsewhere
    finally:
        training.send_signal(signal.SIGINT)
        training.communicate(timeout=60)
    print(f"\nlistening on other interfaces: {elsewhere}")


def _listening(pid: int) -> Iterator[tuple[str, str]]:
    own = psutil.Process(pid)
    for process in (own, *own.children(recursive=True)):
        try:
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    yield process.name(), connection.laddr.ip
        except psutil.NoSuchProcess:
            continue


def _is_loopback(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback
