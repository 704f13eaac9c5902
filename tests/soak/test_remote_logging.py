"""Log lines of runs reach servers elsewhere, by the files in `cluster/logging`."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

import raymon
from tests.cluster.files import CLUSTER

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

LOGGING = CLUSTER / "logging"
EVENTS = {"attempt", "progress", "evaluation", "end"}


def train(config_file: Path, *overrides: str) -> None:
    few = ("train_config.num_epochs=1", "ray_config.num_workers=0")
    raymon.train(config_file, [*few, *overrides])


def listening(process: subprocess.Popen[bytes]) -> list:
    assert process.poll() is None
    return psutil.Process(process.pid).net_connections("udp")


def lines_of(data: bytes) -> list[dict]:
    return [json.loads(line) for line in data.decode().splitlines()]


def test_rsyslog_forwards_the_files_of_a_run(config_file: Path, tmp_path: Path) -> None:
    rsyslogd = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
    assert rsyslogd, "needs Debian's package rsyslog"
    runs = tmp_path / "runs"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        config = (LOGGING / "rsyslog.conf").read_text().replace("/shared/runs", str(runs))
        config = config.replace("logs.example", "127.0.0.1")
        config = config.replace("5140", str(server.getsockname()[1]))
        (tmp_path / "rsyslog.conf").write_text(f'global(workDirectory="{tmp_path}")\n{config}')
        process = subprocess.Popen(
            [rsyslogd, "-n", "-f", str(tmp_path / "rsyslog.conf"), "-i", str(tmp_path / "pid")]
        )
        try:
            train(config_file, f"model_dir={runs / 'click'}")
            connection, _ = server.accept()
            received, deadline = b"", time.monotonic() + 60
            with connection:
                connection.settimeout(60)
                while b'"event": "end"' not in received and time.monotonic() < deadline:
                    received += connection.recv(1 << 16)
                while not received.endswith(b"\n"):
                    received += connection.recv(1 << 16)
        finally:
            process.terminate()
            process.wait(30)
    there = lines_of((runs / "click" / "logs" / "driver.log").read_bytes())
    assert lines_of(received) == there
    assert {line.get("event") for line in there} >= EVENTS


def test_rsyslog_takes_what_python_sends_by_syslog(config_file: Path, tmp_path: Path) -> None:
    rsyslogd = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
    assert rsyslogd, "needs Debian's package rsyslog"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    taken = tmp_path / "taken.log"
    (tmp_path / "rsyslog.conf").write_text(
        f'global(workDirectory="{tmp_path}" maxMessageSize="256k")\nmodule(load="imudp")\n'
        f'input(type="imudp" port="{port}" address="127.0.0.1")\n'
        'template(name="line" type="string" string="%rawmsg-after-pri%\\n")\n'
        f'action(type="omfile" file="{taken}" template="line")\n'
    )
    handlers = (LOGGING / "syslog.json").read_text().replace("514", str(port))
    (tmp_path / "logging.json").write_text(handlers)
    process = subprocess.Popen(
        [rsyslogd, "-n", "-f", str(tmp_path / "rsyslog.conf"), "-i", str(tmp_path / "pid")]
    )
    try:
        while not any(one.laddr.port == port for one in listening(process)):
            time.sleep(0.05)
        train(
            config_file,
            f"model_dir={tmp_path / 'run'}",
            f"monitor_config.logging_config_path={tmp_path / 'logging.json'}",
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            read = taken.read_bytes() if taken.exists() else b""
            if b'"event": "end"' in read:
                break
            time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(30)
    events = {line.get("event") for line in lines_of(taken.read_bytes().replace(b"#000", b""))}
    assert events >= EVENTS
