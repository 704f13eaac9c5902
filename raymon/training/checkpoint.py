"""Checkpoints: directories `model.ckpt-{step}` whose manifest is written last."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import raymon
from raymon.errors import RunError

MANIFEST = "manifest.json"
_NAME = re.compile(r"model\.ckpt-(\d+)")


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint.

    Attributes:
        path: Its directory.
        step: Steps that the model has made.
        epoch: Epochs that are over.
        metrics: Scores of the evaluation at that step, by name; empty where there was none.
        world_size: Ranks that wrote it.
    """

    path: Path
    step: int
    epoch: int
    metrics: Mapping[str, float]
    world_size: int


def checkpoint_path(model_dir: Path, step: int) -> Path:
    """The directory of the checkpoint after `step` steps."""
    return model_dir / f"model.ckpt-{step}"


def list_checkpoints(model_dir: Path) -> list[Checkpoint]:
    """The complete checkpoints of a run, by step."""
    if not model_dir.is_dir():
        return []
    paths = [entry for entry in model_dir.iterdir() if _NAME.fullmatch(entry.name)]
    found = (read_checkpoint(path) for path in paths)
    return sorted((c for c in found if c is not None), key=lambda checkpoint: checkpoint.step)


def newest_checkpoint(model_dir: Path) -> Checkpoint | None:
    """The complete checkpoint with the most steps, if there is one."""
    return max(list_checkpoints(model_dir), key=lambda c: c.step, default=None)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint in a directory, or None where it is not complete.

    It is complete when its manifest can be read and every file in it is there in full.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        if all((path / name).stat().st_size == size for name, size in manifest["files"].items()):
            return Checkpoint(
                path,
                manifest["step"],
                manifest["epoch"],
                manifest["metrics"],
                manifest["world_size"],
            )
    except (OSError, ValueError, KeyError):
        pass
    return None


def begin_checkpoint(path: Path) -> None:
    """Makes the directory, and no checkpoint of what an earlier save may have left in it."""
    path.mkdir(parents=True, exist_ok=True)
    (path / MANIFEST).unlink(missing_ok=True)


def write_part(path: Path, name: str, part: Mapping[str, Any]) -> None:
    """Writes tensors, numbers and strings into the file `name` of the checkpoint."""
    torch.save(dict(part), path / name)


def write_manifest(
    path: Path,
    *,
    step: int,
    epoch: int,
    metrics: Mapping[str, float],
    world_size: int,
    names: list[str],
) -> None:
    """Makes the directory a checkpoint, once all its files are written.

    Raises:
        RunError: A file of another rank is not there.
    """
    missing = [name for name in names if not (path / name).is_file()]
    if missing:
        raise RunError(
            f"{path}: {missing[0]}, written by another worker, is not there; "
            "model_dir has to be on storage that all workers share"
        )
    manifest = {
        "step": step,
        "epoch": epoch,
        "metrics": dict(metrics),
        "world_size": world_size,
        "files": {name: (path / name).stat().st_size for name in names},
        "raymon_version": raymon.__version__,
        "torch_version": torch.__version__,
    }
    draft = path / (MANIFEST + ".new")
    draft.write_text(json.dumps(manifest, indent=2))
    os.replace(draft, path / MANIFEST)


def read_part(path: Path, name: str, device: torch.device) -> dict[str, Any]:
    """Reads what `write_part` wrote. Only tensors and plain values; no code in it is run."""
    part: dict[str, Any] = torch.load(path / name, map_location=device, weights_only=True)
    return part
