"""The stored results: a JSON file for each benchmark, and those of the quick forms next to them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness.result import Result

RESULTS = Path(__file__).parents[1] / "results"
QUICK = "quick"


def folder(quick: bool) -> Path:
    """Returns the folder of the results."""
    return RESULTS / QUICK if quick else RESULTS


def write(result: Result, quick: bool) -> Path:
    """Writes a result in place of the one before, and returns its path."""
    path = folder(quick) / f"{result.name}.json"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(result.to_json() + "\n", encoding="utf-8")
    return path


def read(quick: bool) -> dict[str, Result]:
    """Returns all stored results by name."""
    paths = sorted(folder(quick).glob("*.json"))
    return {path.stem: Result.from_json(path.read_text(encoding="utf-8")) for path in paths}
