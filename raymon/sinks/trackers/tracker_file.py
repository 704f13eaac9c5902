"""What the directory of a run keeps of its run in a tracker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from raymon.sinks.trackers.client import Memory
from raymon.storage import StoragePath, to_json, write_whole


@dataclass
class Kept:
    """What was written to a tracker, so that what is published again is not written again.

    Attributes:
        memory: What the tracker's own code needs of its run.
        attempt: Number of the attempt that was written last.
        step: Last step of the training that is in the tracker and was not taken back.
        evaluations: Times of the evaluations that are there, by step.
    """

    memory: Memory = field(default_factory=Memory)
    attempt: int = 0
    step: int = 0
    evaluations: dict[str, float] = field(default_factory=dict)


def tracker_file(directory: StoragePath, name: str) -> StoragePath:
    """Returns the file about a tracker.

    Args:
        directory: Directory of the run.
        name: Name of the tracker, such as "mlflow".
    """
    return directory / "monitor" / f"tracker_{name}.json"


def read_kept(path: StoragePath) -> Kept:
    """Returns what a file says; nothing where there is no such file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not what `write_kept` wrote.
    """
    if not path.exists():
        return Kept()
    record: Mapping[str, Any] = json.loads(path.read_bytes())
    try:
        return Kept(
            Memory(**record["memory"]), record["attempt"], record["step"], record["evaluations"]
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not what raymon writes: {error}") from None


def write_kept(path: StoragePath, kept: Kept) -> None:
    """Writes a file, whole or not at all.

    Raises:
        OSError: It is not written.
    """
    write_whole(path, (to_json(asdict(kept)) + "\n").encode())
