"""The sink of one's own that the guide shows does what the guide says."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from google.protobuf import text_format

from raymon.config import allow_custom_classes
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.sinks import BackgroundSink, trackers_of
from tests.sinks.evaluations import evaluation
from tests.sinks.snapshots import snapshot

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "trackers.md"


@pytest.fixture
def posted() -> Iterator[tuple[int, list[dict[str, object]]]]:
    """Gives the port of a server, and what is posted to it."""
    found: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that the server calls
            found.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, found
    server.shutdown()
    server.server_close()


def test_the_recipe_posts_the_numbers_of_a_run(
    posted: tuple[int, list[dict[str, object]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, found = posted
    guide = GUIDE.read_text()
    recipe = guide[guide.index("## Your own") :]
    code = recipe.partition("```python\n")[2].partition("```")[0]
    config = recipe.partition("```protobuf\n")[2].partition("```")[0]
    (tmp_path / "my_sinks.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    allow_custom_classes()
    config = config.replace("localhost:8000", f"127.0.0.1:{port}")
    (sink,) = trackers_of(text_format.Parse(config, PipelineConfig()))
    shielded = BackgroundSink(sink)
    shielded.write(snapshot(10))
    shielded.write_evaluation(evaluation(10, metrics={"auc": 0.75}))
    shielded.roll_back(5, 5)
    shielded.close()
    assert shielded.take_notices() == []
    assert found == [
        {"step": 10, "loss": 0.52341, "auc": 0.71234},
        {"step": 10, "evaluation": {"auc": 0.75}},
    ]
    del sys.modules["my_sinks"]
