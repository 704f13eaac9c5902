"""The directory of a run as storage of Ray Train.

Ray Train records there which checkpoints it knows. raymon decides which checkpoints are kept, and a
run must go on if a user deletes some of them, or the whole directory.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from pyarrow import fs

from raymon.storage import StoragePath, to_json, write_whole

_SNAPSHOT = "checkpoint_manager_snapshot.json"
"""File with what Ray Train knows of the checkpoints of a run."""


def in_ray(path: StoragePath) -> tuple[str, Any]:
    """Returns a path in the form that Ray takes, and its file system.

    On the local file system a deleted directory is made again when a file is written into it.
    """
    if isinstance(path, Path):
        return str(path), fs.PyFileSystem(fs.FSSpecHandler(LocalFileSystem(auto_mkdir=True)))
    return path.inner, path.filesystem


def repair_snapshot(run_dir: StoragePath) -> None:
    """Removes deleted checkpoints from Ray's records, as Ray refuses a run with missing ones."""
    path = run_dir / _SNAPSHOT
    try:
        known = path.read_text()
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        known = ""
    try:
        repaired = to_json(_without_lost(json.loads(known), run_dir))
    except (ValueError, KeyError, TypeError, AttributeError):
        # Ray would refuse such a file too.
        path.unlink()
        return
    write_whole(path, repaired.encode())


def _without_lost(known: dict[str, Any], run_dir: StoragePath) -> dict[str, Any]:
    def there(result: dict[str, Any]) -> bool:
        return bool((run_dir / result["checkpoint_dir_name"]).is_dir())

    results, indices = known["checkpoint_results"], known["checkpoint_report_indices"]
    pairs = [(r, i) for r, i in zip(results, indices, strict=True) if there(r)]
    newest = max(pairs, key=lambda pair: pair[1], default=(None, 0))[0]
    pending = zip(known["pending_training_results"], known["pending_validation_specs"], strict=True)
    waiting = [(r, spec) for r, spec in pending if there(r)]
    return {
        **known,
        "checkpoint_results": [result for result, _ in pairs],
        "checkpoint_report_indices": [index for _, index in pairs],
        "latest_checkpoint_result": newest,
        "pending_training_results": [result for result, _ in waiting],
        "pending_validation_specs": [spec for _, spec in waiting],
    }
