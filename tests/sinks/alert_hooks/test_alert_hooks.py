"""Alerts reach programs and addresses of the user's, which can do no harm to the run."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from raymon.errors import ConfigError
from raymon.results import Alert, Finding
from raymon.sinks import AlertCommand, AlertWebhook, BackgroundSink, webhook_of_environment

ALERT = Alert(Finding("nonfinite", "loss is NaN", rank=1, first_step=7), 2, 10, 5.0)


def command(code: str, *arguments: str, timeout_s: float = 20.0) -> AlertCommand:
    return AlertCommand([sys.executable, "-c", code, *arguments], "runs/click", timeout_s)


def test_a_program_gets_the_alert_on_standard_input_and_its_arguments_as_they_are(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a b; $(touch x)"
    code = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    command(code, str(path)).write_alert(ALERT)
    assert json.loads(path.read_text()) == {"run": "runs/click", **ALERT.to_json()}


def test_an_address_of_the_environment_is_checked_and_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAYMON_ALERT_WEBHOOK", "ftp://secret.example/token")
    with pytest.raises(ConfigError, match=r"^RAYMON_ALERT_WEBHOOK: is no address of http or https"):
        webhook_of_environment()
    monkeypatch.setenv("RAYMON_ALERT_WEBHOOK", "HTTPS://secret.example/token")
    assert webhook_of_environment() == "HTTPS://secret.example/token"


def test_a_program_that_fails_says_what_it_said_last() -> None:
    with pytest.raises(OSError, match=r"^exit status 3: no such channel$"):
        command("import sys; print('no such channel', file=sys.stderr); sys.exit(3)").write_alert(
            ALERT
        )
    with pytest.raises(OSError, match="No such file"):
        AlertCommand(["/no/such/program"], "run", 1.0).write_alert(ALERT)


def test_a_program_that_takes_too_long_is_killed_with_what_it_started(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    child = f"import os, time; os.close(1); open({str(path)!r}, 'w'); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="killed"):
        command(code, timeout_s=0.5).write_alert(ALERT)
    assert time.monotonic() - began < 30


class Server:
    """A web server that answers with a status, and keeps what it is sent."""

    def __init__(self) -> None:
        self.status, self.got = 200, list[dict]()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.got.append(json.loads(body))
                self.send_response(server.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/hook/s3cret"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def test_an_address_gets_the_alert(server: Server) -> None:
    AlertWebhook(server.url, "runs/click", 10.0).write_alert(ALERT)
    assert server.got == [{"run": "runs/click", **ALERT.to_json()}]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_no_success_is_a_failure_without_the_secret(
    server: Server, status: int
) -> None:
    server.status = status
    with pytest.raises(ConnectionError) as raised:
        AlertWebhook(server.url, "run", 10.0).write_alert(ALERT)
    assert str(raised.value) == f"127.0.0.1 answers {status}"
    assert raised.value.__cause__ is None
    assert len(server.got) == 1


def test_an_address_that_is_none_is_not_shown() -> None:
    with pytest.raises(ConnectionError, match=r"^host cannot be reached: InvalidURL$"):
        AlertWebhook("http://host/s3cret path", "run", 1.0).write_alert(ALERT)


def test_failures_are_counted_and_shown_without_the_secret(server: Server) -> None:
    server.http.server_close()
    sink = BackgroundSink(AlertWebhook(server.url, "run", 5.0), tries=2, retry_s=0.0)
    sink.write_alert(ALERT)
    sink.close()
    assert sink.failures == 1
    (notice,) = sink.take_notices()
    assert "127.0.0.1 cannot be reached" in notice
    assert "s3cret" not in notice
