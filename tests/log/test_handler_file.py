"""Handlers of a file in the form of dictConfig: what may be named, and what they get."""

from __future__ import annotations

import json
import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from raymon.errors import ConfigError
from raymon.log import ProcessLog, handlers_of_file

_log = logging.getLogger("raymon")


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "logging.json"
    path.write_text(json.dumps(content))
    return path


def of_handler(**handler: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "formatters": {"json": {"class": "raymon.log.JsonFormatter"}},
        "handlers": {"far": {"formatter": "json", **handler}},
    }


def test_syslog_gets_json_lines(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        content = of_handler(
            **{"class": "logging.handlers.SysLogHandler", "address": list(server.getsockname())}
        )
        handlers = handlers_of_file(written(tmp_path, content), trusted=False)
        with ProcessLog("driver", None, handlers):
            _log.warning("%s", "slow", extra={"samples_per_second": 12.5})
        data = server.recv(65536).rstrip(b"\0").decode()
    assert data.startswith("<12>")
    assert json.loads(data.partition(">")[2])["samples_per_second"] == 12.5


def test_a_server_of_http_gets_every_field(tmp_path: Path) -> None:
    got: list[dict[str, list[str]]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is that of http.server
            got.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        content = of_handler(
            **{
                "class": "logging.handlers.HTTPHandler",
                "host": f"127.0.0.1:{server.server_port}",
                "url": "/logs",
                "method": "POST",
            }
        )
        handlers = handlers_of_file(written(tmp_path, content), trusted=False)
        with ProcessLog("driver", None, handlers):
            _log.warning("%s", "slow", extra={"step": 100})
        server.shutdown()
    assert (got[0]["message"], got[0]["step"]) == (["slow"], ["100"])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ([], 'it begins with "version": 1'),
        ({"version": 1, "root": {}}, "root: not known"),
        ({"version": 1, "handlers": [1]}, "handlers: is no object of objects"),
        ({"version": 1, "loggers": {"ray": {}}}, "loggers.ray: only lines of raymon"),
        (
            {"version": 1, "loggers": {"raymon": {"handlers": ["far"]}}},
            "there is no handler far",
        ),
        (of_handler(), "handlers.far.class: nothing is none of"),
        (of_handler(**{"()": "os.system", "command": "true"}), "handlers.far.class: nothing"),
        (of_handler(**{"class": "subprocess.Popen"}), '"subprocess.Popen" is none of'),
        (of_handler(**{"class": "logging.handlers.QueueHandler"}), "is none of"),
        (
            of_handler(**{"class": "logging.FileHandler", "filename": "/no/such/file"}),
            'handlers.far.class: "logging.FileHandler" is none of',
        ),
        (
            of_handler(**{"class": "logging.StreamHandler", "()": "os.system"}),
            'handlers.far.(): "()" calls or changes',
        ),
        (
            of_handler(**{"class": "logging.StreamHandler", ".": {"emit": 1}}),
            '"." calls or changes',
        ),
        (
            of_handler(**{"class": "logging.StreamHandler", "stream": "ext://os.environ"}),
            '"ext://os.environ" is none of ext://sys.stdout',
        ),
        (
            {"version": 1, "formatters": {"f": {"class": "os.system"}}},
            'formatters.f.class: "os.system" is none of',
        ),
        (
            of_handler(
                **{"class": "logging.handlers.HTTPHandler", "host": "evil.example", "url": "/"}
            ),
            'handlers.far.host: "evil.example" is another machine',
        ),
        (
            of_handler(
                **{"class": "logging.handlers.SysLogHandler", "address": ["127.0.0.1.evil", 1]}
            ),
            'handlers.far.address: "127.0.0.1.evil" is another machine',
        ),
        (
            of_handler(**{"class": "logging.handlers.SysLogHandler", "port": 1}),
            "handlers.far: ",
        ),
    ],
)
def test_what_a_file_may_not_name_is_refused_and_nothing_is_called(
    tmp_path: Path, content: Any, why: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ConfigError) as error:
        handlers_of_file(path, trusted=False)
    assert why in str(error.value)
    assert str(error.value).startswith(f"{path}: ")


def test_a_file_that_is_trusted_may_name_code(tmp_path: Path) -> None:
    content = of_handler(**{"()": "logging.StreamHandler"})
    ((name, handler),) = handlers_of_file(written(tmp_path, content), trusted=True)
    assert name == "far"
    assert isinstance(handler, logging.StreamHandler)


def test_only_listed_handlers_are_made(tmp_path: Path) -> None:
    content = of_handler(**{"class": "logging.NullHandler"})
    content["handlers"]["other"] = {"class": "logging.handlers.SMTPHandler"}
    content["loggers"] = {"raymon": {"handlers": ["far"]}}
    assert [n for n, _ in handlers_of_file(written(tmp_path, content), trusted=False)] == ["far"]
