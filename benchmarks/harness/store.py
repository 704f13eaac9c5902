"""Results on the disk: a JSON file for each benchmark, and those of the quick forms beside them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness.result import Result

RESULTS = Path(__file__).parents[1] / "results"
QUICK = "quick"


def folder(quick: bool) -> Path:
    """Where the results are."""
    return RESULTS / QUICK if quick else RESULTS


def write(result: Result, quick: bool) -> Path:
    """Puts a result in the place of the one before."""
    path = folder(quick) / f"{result.name}.json"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(result.to_json() + "\n", encoding="utf-8")
    return path


def read(quick: bool) -> dict[str, Result]:
    """By name, all results that there are."""
    paths = sorted(folder(quick).glob("*.json"))
    return {path.stem: Result.from_json(path.read_text(encoding="utf-8")) for path in paths}
