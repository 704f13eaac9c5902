from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.inputs.made_curves import MadeCurves
from benchmarks.inputs.made_run import write_run
from raymon.board.web.shown_run import id_of
from tests.board.asking import Board

CURVES = MadeCurves(windows=600, ranks=4, begin=1.7e9)


class MadeRun:
    """A run, what its lines say, and a board over it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = id_of(str(path))
        self.board = Board(path.parent)
        self.curves = CURVES

    def get(self, what: str = "") -> Any:
        return self.board.get(f"/api/runs/{self.id}{what}")

    def status(self, what: str) -> int:
        return self.board.ask(f"/api/runs/{self.id}{what}").status

    def lines(self, name: str) -> list[dict[str, Any]]:
        text = (self.path / "monitor" / name).read_text()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> MadeRun:
    path = tmp_path_factory.mktemp("runs") / "made"
    write_run(path, CURVES)
    return MadeRun(path)
