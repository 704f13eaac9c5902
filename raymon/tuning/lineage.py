"""The lineage of a trial: of which trials and values the model in its directory is.

With population based training a trial may go on from a checkpoint of another one. Then its
directory becomes a copy of the other's up to that checkpoint, so that its curves are those of the
training that its model went through; what it did before is kept beside, without checkpoints.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from raymon.errors import RunError
from raymon.run_dir import LOCK
from raymon.runs import RUN_FILE
from raymon.storage import (
    StoragePath,
    copy_tree,
    move_tree,
    read_file,
    remove_tree,
    to_json,
    write_whole,
)
from raymon.training.checkpoint.manifest import (
    MANIFEST,
    checkpoint_directories,
    checkpoint_path,
    is_checkpoint_path,
    newest_checkpoint,
    read_checkpoint,
    remove_checkpoint,
)
from raymon.tuning.parameters import Value

LINEAGE_FILE = "lineage.json"

_NOT_COPIED = frozenset({LOCK, "export", "logs", "train_eval_trace"})
_NOT_OF_MONITOR = frozenset({"requests", "live.json", "stacks", "ray_train"})


@dataclass(frozen=True)
class Origin:
    """A part of a lineage.

    Attributes:
        step: Step that it begins at.
        trial: Name of the trial that trained it.
        values: Its values by the paths of fields.
    """

    step: int
    trial: str
    values: Mapping[str, Value]


def read_lineage(directory: StoragePath) -> list[Origin]:
    """Returns the lineage of a trial, oldest part first; empty if it has not begun."""
    try:
        listed = json.loads(read_file(directory / LINEAGE_FILE))
        return [Origin(int(o["step"]), str(o["trial"]), dict(o["values"])) for o in listed]
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        return []


def write_lineage(directory: StoragePath, lineage: Sequence[Origin]) -> None:
    """Writes the lineage of a trial.

    Raises:
        OSError: It is not written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    text = to_json([asdict(origin) for origin in lineage], indent=2)
    write_whole(directory / LINEAGE_FILE, f"{text}\n".encode())


def take_over(donor: StoragePath, step: int, directory: StoragePath, kept: StoragePath) -> int:
    """Makes the directory of a trial that of another one as of a checkpoint.

    Args:
        donor: Directory of the other one, which may train on meanwhile.
        step: Step of the checkpoint; if it is gone, the newest one is taken.
        directory: Directory of the trial, to which nobody writes.
        kept: Where what was in it is kept, without its checkpoints.

    Returns:
        The step of the checkpoint that was taken.

    Raises:
        RunError: The other trial has no complete checkpoint.
        OSError: Not everything was copied.
    """
    draft = directory.parent / f".{directory.name}.new"
    with suppress(FileNotFoundError):
        remove_tree(draft)
    taken = _copy_checkpoint(donor, step, draft)
    copy_tree(donor, draft, _is_history)
    copy_tree(donor / "monitor", draft / "monitor", lambda name: name not in _NOT_OF_MONITOR)
    _close_attempts(draft, taken)
    for path in checkpoint_directories(directory):
        remove_checkpoint(path)
    if directory.exists():
        move_tree(directory, kept)
    move_tree(draft, directory)
    return taken


def _is_history(name: str) -> bool:
    return name not in _NOT_COPIED and name != "monitor" and not name.startswith("model.ckpt-")


def _copy_checkpoint(donor: StoragePath, step: int, to: StoragePath) -> int:
    wanted = read_checkpoint(checkpoint_path(donor, step))
    for _ in range(3):
        found = wanted or newest_checkpoint(donor)
        if found is None:
            break
        target = to / found.path.name
        assert is_checkpoint_path(target)
        copy_tree(found.path, target, lambda name: name != MANIFEST)
        with suppress(FileNotFoundError):
            # Last, as it says that all is there; a checkpoint that was removed meanwhile has none.
            manifest = read_file(found.path / MANIFEST)
            write_whole(target / MANIFEST, manifest)
            if read_checkpoint(target) is not None:
                return found.step
        remove_tree(target)
        wanted = None
    raise RunError(f"{donor}: has no complete checkpoint that another trial could go on from")


def _close_attempts(directory: StoragePath, step: int) -> None:
    """Has the attempts in the copied summary end at the step of the checkpoint."""
    path = directory / RUN_FILE
    try:
        summary: dict[str, Any] = json.loads(read_file(path))
        attempts = summary.get("attempts") or []
        if attempts and attempts[-1].get("end_step") is None:
            attempts[-1]["end_step"] = step
    except (OSError, ValueError, AttributeError, TypeError):
        return
    write_whole(path, to_json(summary, indent=2).encode())
