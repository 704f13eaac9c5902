"""Checkpoints: directories `model.ckpt-{step}` whose manifest is written last."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

import raymon
from raymon.errors import RunError

MANIFEST = "manifest.json"
_NAME = re.compile(r"model\.ckpt-(\d+)")


TRAINER = "trainer.pt"
SCORES = "scores.json"
"""Of an evaluation that was over after the checkpoint was written."""
INDEX = ".metadata"
"""Of the tensors: where each of them is."""


@dataclass(frozen=True)
class FileEntry:
    """A file as it was written.

    Attributes:
        size: In bytes.
        sha256: Of its bytes, in hexadecimal.
    """

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileEntry:
        """What there is now; it is read for it."""
        with path.open("rb") as file:
            return cls(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


@dataclass(frozen=True)
class TensorPlace:
    """Where a tensor is.

    Attributes:
        shape: Its sizes.
        dtype: As torch calls it.
        rank: That wrote it.
    """

    shape: tuple[int, ...]
    dtype: str
    rank: int

    @classmethod
    def of(cls, tensor: torch.Tensor, rank: int) -> TensorPlace:
        """The place of a tensor that `rank` writes."""
        return cls(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."), rank)


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint.

    Attributes:
        path: Its directory.
        step: Steps that the model has made.
        epoch: Epochs that are over.
        metrics: Scores of the evaluation at that step, by name; empty where there was none.
        world_size: Ranks that wrote it.
        files: By name, what was written.
        stopped: Why the run ended there, by its scores; None where they still improved.
    """

    path: Path
    step: int
    epoch: int
    metrics: Mapping[str, float]
    world_size: int
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    stopped: str | None = None


def checkpoint_path(model_dir: Path, step: int) -> Path:
    """The directory of the checkpoint after `step` steps."""
    return model_dir / f"model.ckpt-{step}"


def list_checkpoints(model_dir: Path) -> list[Checkpoint]:
    """The complete checkpoints of a run, by step."""
    found = (read_checkpoint(path) for path in checkpoint_directories(model_dir))
    return [checkpoint for checkpoint in found if checkpoint is not None]


def checkpoint_directories(model_dir: Path) -> list[Path]:
    """Directories by the name of a checkpoint of a run, complete or not, by step."""
    if not model_dir.is_dir():
        return []
    return sorted(filter(is_checkpoint_path, model_dir.iterdir()), key=step_of)


def is_checkpoint_path(path: Path) -> bool:
    """Whether a directory has the name of a checkpoint."""
    return _NAME.fullmatch(path.name) is not None


def step_of(path: Path) -> int:
    """The step in the name of a checkpoint."""
    return int(path.name.rpartition("-")[2])


def newest_checkpoint(model_dir: Path) -> Checkpoint | None:
    """The complete checkpoint with the most steps, if there is one."""
    return max(list_checkpoints(model_dir), key=lambda c: c.step, default=None)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint in a directory, or None where it is not complete.

    It is complete when its manifest can be read and every file in it is there in full.
    """
    checkpoint = read_manifest(path)
    try:
        if checkpoint is not None and all(
            (path / name).stat().st_size == entry.size for name, entry in checkpoint.files.items()
        ):
            return checkpoint
    except OSError:
        pass
    return None


def read_manifest(path: Path) -> Checkpoint | None:
    """The checkpoint that was written into a directory, whatever became of its files since; None
    where none was, or its manifest cannot be read."""
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        return Checkpoint(
            path,
            manifest["step"],
            manifest["epoch"],
            _numbers(manifest["metrics"]) | read_scores_beside(path),
            manifest["world_size"],
            {name: FileEntry(**entry) for name, entry in manifest["files"].items()},
            manifest["stopped"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_scores_beside(path: Path, metrics: Mapping[str, float]) -> None:
    """Writes the scores of a checkpoint that is complete, whole or not at all."""
    _write_json(path / SCORES, _json_numbers(metrics))


def read_scores_beside(path: Path) -> dict[str, float]:
    """What `write_scores_beside` wrote; empty where it did not."""
    try:
        return _numbers(json.loads((path / SCORES).read_text()))
    except (OSError, ValueError, AttributeError):
        return {}


def damage(checkpoint: Checkpoint) -> str | None:
    """What is wrong with the files of a checkpoint, which are read for it; None: nothing."""
    for name, entry in checkpoint.files.items():
        try:
            found = FileEntry.of(checkpoint.path / name)
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}"
        if found.size != entry.size:
            return f"{name} has {found.size:,} bytes in place of {entry.size:,}"
        if found.sha256 != entry.sha256:
            return f"{name} is not what was written: its sha256 is another one"
    return None


def begin_checkpoint(path: Path) -> None:
    """Makes the directory, and no checkpoint of what an earlier save may have left in it."""
    path.mkdir(parents=True, exist_ok=True)
    # The manifest first: without it no checkpoint is here.
    (path / MANIFEST).unlink(missing_ok=True)
    for entry in list(path.iterdir()):
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def forget_checkpoint(path: Path) -> None:
    """Removes what a save that failed has left, as far as it goes."""
    shutil.rmtree(path, ignore_errors=True)


def write_part(path: Path, name: str, part: Mapping[str, Any]) -> None:
    """Writes tensors, numbers and strings into the file `name` of the checkpoint."""
    # Written by Python: of a full disk torch only says that it is not where it should be.
    content = io.BytesIO()
    torch.save(dict(part), content)
    with (path / name).open("wb") as file:
        file.write(content.getbuffer())
        file.flush()
        os.fsync(file.fileno())


def rank_part(rank: int) -> str:
    """The file with what a rank has of its own."""
    return f"rank-{rank:05d}.pt"


def file_entries(path: Path, rank: int, names: Sequence[str]) -> dict[str, FileEntry]:
    """Sizes and hashes of the files that a rank wrote, by name.

    Args:
        path: Of the checkpoint.
        rank: That wrote them; those of its tensors are found by their names.
        names: Of the others.
    """
    of_tensors = [entry.name for entry in path.glob(f"__{rank}_*.distcp")]
    index = [INDEX] if rank == 0 else []
    return {name: FileEntry.of(path / name) for name in (*names, *of_tensors, *index)}


def write_manifest(
    path: Path,
    *,
    step: int,
    epoch: int,
    stopped: str | None = None,
    metrics: Mapping[str, float],
    world_size: int,
    files: Mapping[str, FileEntry],
    tensors: Mapping[str, TensorPlace],
) -> None:
    """Makes the directory a checkpoint, once all its files are written.

    Raises:
        RunError: A file of another rank is not there.
    """
    missing = [name for name in files if not (path / name).is_file()]
    if missing:
        raise RunError(
            f"{path}: {missing[0]}, written by another worker, is not there; "
            "model_dir has to be on storage that all workers share"
        )
    manifest = {
        "step": step,
        "epoch": epoch,
        "stopped": stopped,
        "metrics": _json_numbers(metrics),
        "world_size": world_size,
        "raymon_version": raymon.__version__,
        "torch_version": torch.__version__,
        "files": {name: asdict(entry) for name, entry in files.items()},
        "tensors": {name: asdict(place) for name, place in tensors.items()},
    }
    _write_json(path / MANIFEST, manifest)


def read_part(path: Path, name: str, device: torch.device) -> dict[str, Any]:
    """Reads what `write_part` wrote. Only tensors and plain values; no code in it is run.

    Raises:
        RunError: It cannot be read, or holds anything else.
    """
    try:
        part: dict[str, Any] = torch.load(path / name, map_location=device, weights_only=True)
    except Exception as error:
        # torch's own words are advice to allow what is in it.
        raise RunError(f"{path / name}: cannot be read: {type(error).__name__}") from None
    return part


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    draft = path.with_name(path.name + ".new")
    with draft.open("w") as file:
        file.write(json.dumps(content, indent=1))
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def _json_numbers(metrics: Mapping[str, float]) -> dict[str, float | None]:
    # JSON has no NaN.
    return {n: v if math.isfinite(v) else None for n, v in metrics.items()}


def _numbers(metrics: Mapping[str, float | None]) -> dict[str, float]:
    return {n: math.nan if v is None else v for n, v in metrics.items()}
