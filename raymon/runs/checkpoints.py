"""The checkpoints of a run, as their manifests say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from raymon.storage import StoragePath

_NAME = re.compile(r"model\.ckpt-(\d+)")


@dataclass(frozen=True)
class CheckpointInfo:
    """What is known of a checkpoint without reading its tensors.

    Attributes:
        step: Step of the model.
        path: Its directory.
        metrics: Scores of the model by name; empty if it was not evaluated.
        size_bytes: Bytes of its files; None if they are not known.
        time: Seconds since 1970, UTC, at which it was complete; None if that is not known.
        is_best: Whether it is the best by the metric that the config names.
        is_complete: Whether it has a manifest: without one it is no checkpoint.
    """

    step: int
    path: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    size_bytes: int | None = None
    time: float | None = None
    is_best: bool = False
    is_complete: bool = True


def list_checkpoint_infos(model_dir: StoragePath, best: str | None) -> list[CheckpointInfo]:
    """Returns the checkpoints of a run by step.

    Args:
        model_dir: Directory of the run.
        best: Path of the best checkpoint, as `run.json` has it; None if there is none.
    """
    found = []
    for path in model_dir.iterdir():
        name = _NAME.fullmatch(path.name)
        if name is None:
            continue
        try:
            manifest: dict[str, Any] = json.loads((path / "manifest.json").read_bytes())
        except (OSError, ValueError):
            manifest = {}
        found.append(
            CheckpointInfo(
                step=int(name[1]),
                path=str(path),
                metrics=manifest.get("metrics") or {},
                is_best=str(path) == best,
                is_complete=bool(manifest),
            )
        )
    return sorted(found, key=lambda each: each.step)
