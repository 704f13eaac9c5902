"""What a watched training wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def windows(directory: Path) -> list[dict[str, Any]]:
    return _lines(directory / "monitor" / "windows.jsonl")


def evaluations(directory: Path) -> list[dict[str, Any]]:
    return _lines(directory / "train_eval_result_v2.txt")


def summary(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "run.json").read_text())
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
