"""Checkpoints: directories `model.ckpt-{step}` whose manifest is written last."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from raymon.embeddings import TableShards
from raymon.errors import RunError, os_reason
from raymon.storage import (
    FileEntry,
    StoragePath,
    file_sizes,
    first_difference,
    numbers_of,
    remove_tree,
    to_json,
    upload,
    write_whole,
)
from raymon.version import __version__

_log = logging.getLogger("raymon")

MANIFEST = "manifest.json"
_NAME = re.compile(r"model\.ckpt-(\d+)")


TRAINER = "trainer.pt"
SCORES = "scores.json"
"""File with the scores of an evaluation that ended after the checkpoint was written."""
INDEX = ".metadata"
"""Index of the tensors: the file that each of them is in."""

_RAYMON_FILES = re.compile(
    r"__\d+_\d+\.distcp|rank-\d+\.pt|trainer\.pt|scores\.json|evaluations\.begun"
    r"|\..*"  # the index, and unfinished files
)

_warned: set[str] = set()
"""Warnings that were logged already."""


class ManifestError(RunError):
    """The manifest of a checkpoint is not what was written."""


@dataclass(frozen=True)
class TensorPlace:
    """The shape of a tensor, and the rank that wrote it.

    Attributes:
        shape: Sizes of the tensor.
        dtype: Name of its type in torch.
        rank: Rank that wrote it; None if every rank wrote the part that it held.
    """

    shape: tuple[int, ...]
    dtype: str
    rank: int | None

    @classmethod
    def of(cls, tensor: torch.Tensor | TableShards, rank: int | None) -> TensorPlace:
        """Returns the place of a tensor that `rank` writes; None if all write their parts."""
        return cls(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."), rank)


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint.

    Attributes:
        path: Directory of the checkpoint.
        step: Steps that the model has made.
        epoch: Completed epochs.
        metrics: Scores of the evaluation at that step, by name; empty if there was none.
        world_size: Number of ranks that wrote it.
        files: Sizes and hashes of its files, by name.
        stopped: Why early stopping ended the run there; None if it did not.
    """

    path: StoragePath
    step: int
    epoch: int
    metrics: Mapping[str, float]
    world_size: int
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    stopped: str | None = None


def checkpoint_path(model_dir: StoragePath, step: int) -> StoragePath:
    """Returns the directory of the checkpoint after `step` steps."""
    return model_dir / f"model.ckpt-{step}"


def list_checkpoints(model_dir: StoragePath) -> list[Checkpoint]:
    """Returns the complete checkpoints of a run, by step.

    Raises:
        RunError: They cannot be read.
    """
    found = (read_checkpoint(path) for path in checkpoint_directories(model_dir))
    return [checkpoint for checkpoint in found if checkpoint is not None]


def checkpoint_directories(model_dir: StoragePath) -> list[StoragePath]:
    """Returns the directories of a run with the name of a checkpoint, complete or not, by step.

    Raises:
        RunError: They cannot be read.
    """
    try:
        entries: list[StoragePath] = [*model_dir.iterdir()] if model_dir.is_dir() else []
        # On object storage a directory only exists through the files in it.
        named = (e for e in entries if is_checkpoint_path(e))
        return sorted((e for e in named if not isinstance(e, Path) or e.is_dir()), key=step_of)
    except OSError as error:
        raise RunError(f"{model_dir}: cannot be read: {os_reason(error)}") from None


def is_checkpoint_path(path: StoragePath) -> bool:
    """Returns whether a directory has the name of a checkpoint."""
    return _NAME.fullmatch(path.name) is not None


def step_of(path: StoragePath) -> int:
    """Returns the step in the name of a checkpoint."""
    return int(path.name.rpartition("-")[2])


def newest_checkpoint(model_dir: StoragePath) -> Checkpoint | None:
    """Returns the complete checkpoint with the most steps; None if there is none.

    Raises:
        RunError: They cannot be read.
    """
    return max(list_checkpoints(model_dir), key=lambda c: c.step, default=None)


def read_checkpoint(path: StoragePath) -> Checkpoint | None:
    """Returns the checkpoint in a directory; None if it is not complete.

    It is complete if its manifest can be read and every file in it has its full size. A save that
    did not finish leaves no checkpoint; if the manifest or the files are not what was written, a
    warning says so once.

    Raises:
        RunError: The storage does not answer.
    """
    try:
        checkpoint = read_manifest(path)
    except ManifestError as error:
        _warn_once(f"{error}; it is left out")
        return None
    if checkpoint is None:
        return None
    try:
        sizes = file_sizes(path)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {os_reason(error)}") from None
    for name, entry in checkpoint.files.items():
        if sizes.get(name) != entry.size:
            if not path.is_dir():  # just deleted
                return None
            there = f"has {sizes[name]:,} bytes" if name in sizes else "is missing"
            _warn_once(f"{path}: is damaged: {name} {there}; it is left out")
            return None
    return checkpoint


def is_foreign(path: StoragePath) -> bool:
    """Returns whether a directory with the name of a checkpoint belongs to another program.

    It does if it has files that no save of raymon leaves there.

    Raises:
        RunError: It cannot be read.
    """
    try:
        entries: list[StoragePath] = [*path.iterdir()]
        return not has_manifest(path) and any(
            entry.is_dir() or not _RAYMON_FILES.fullmatch(entry.name) for entry in entries
        )
    except FileNotFoundError:  # just deleted
        return False
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {os_reason(error)}") from None


def has_manifest(path: StoragePath) -> bool:
    """Returns whether a save into a directory was committed, whatever happened to it since."""
    return (path / MANIFEST).is_file()


def read_manifest(path: StoragePath) -> Checkpoint | None:
    """Returns the checkpoint that was written into a directory, whatever happened to its files.

    Returns:
        The checkpoint; None if no save was committed.

    Raises:
        ManifestError: The manifest is damaged.
        RunError: The storage does not answer: treated as no checkpoint, a run would continue from
            an older one.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        # Manifests of versions before the hash have none.
        written = manifest.pop("sha256", None)
        if written is not None and written != _sha256(manifest):
            raise ValueError("a byte is another one")
        return Checkpoint(
            path,
            manifest["step"],
            manifest["epoch"],
            numbers_of(manifest["metrics"]) | read_checkpoint_scores(path),
            manifest["world_size"],
            {name: FileEntry(**entry) for name, entry in manifest["files"].items()},
            manifest["stopped"],
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RunError(f"{path / MANIFEST}: cannot be read: {os_reason(error)}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ManifestError(f"{path}: is damaged: {MANIFEST} is not what was written") from None


def encode_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Returns the content of a manifest, with a hash that shows a changed byte later."""
    return to_json({**manifest, "sha256": _sha256(manifest)}, indent=1).encode()


def _sha256(manifest: Mapping[str, Any]) -> str:
    """Returns the hash of a manifest without its hash."""
    return hashlib.sha256(to_json(manifest).encode()).hexdigest()


def _warn_once(text: str) -> None:
    if text not in _warned:
        _warned.add(text)
        _log.warning(text)


def write_checkpoint_scores(path: StoragePath, metrics: Mapping[str, float]) -> None:
    """Writes the scores of a complete checkpoint into its directory, atomically."""
    write_whole(path / SCORES, to_json(metrics).encode())


def read_checkpoint_scores(path: StoragePath) -> dict[str, float]:
    """Returns the scores that `write_checkpoint_scores` wrote; empty if there are none."""
    try:
        return numbers_of(json.loads((path / SCORES).read_text()))
    except (OSError, ValueError, AttributeError):
        return {}


def has_checkpoint_scores(path: StoragePath) -> bool:
    """Returns whether an evaluation of the checkpoint has ended, with or without scores."""
    return (path / SCORES).is_file()


def find_corruption(checkpoint: Checkpoint) -> str | None:
    """Reads the files of a checkpoint, and returns what is wrong with them; None for nothing.

    Raises:
        RunError: Object storage does not answer.
    """
    for name, entry in checkpoint.files.items():
        try:
            why = first_difference(checkpoint.path, {name: entry})
        except OSError as error:
            why = f"{name} cannot be read: {os_reason(error)}"
            # On a disk it is this file; on object storage it is the connection, so all files.
            if not (isinstance(checkpoint.path, Path) or isinstance(error, FileNotFoundError)):
                raise RunError(f"{checkpoint.path}: {why}") from None
        if why is not None:
            return why
    return None


def check_sound(checkpoint: Checkpoint) -> None:
    """Reads the files of a checkpoint, and checks that they are what was written.

    Raises:
        RunError: A file was changed, or the storage does not answer.
    """
    why = find_corruption(checkpoint)
    if why is not None and not has_manifest(checkpoint.path):
        raise RunError(f"{checkpoint.path}: was deleted just now; try again with another one")
    if why is not None:
        raise RunError(
            f"{checkpoint.path}: is damaged: {why}; raymon checkpoint verify "
            f"{checkpoint.path.parent} says which are sound"
        )


def begin_checkpoint(path: StoragePath) -> None:
    """Makes the directory of a checkpoint, and removes what an earlier save left in it."""
    path.mkdir(parents=True, exist_ok=True)
    # The manifest first: without it there is no checkpoint here.
    (path / MANIFEST).unlink(missing_ok=True)
    entries: list[StoragePath] = [*path.iterdir()]
    for entry in entries:
        if entry.is_dir():
            remove_tree(entry)
        else:
            entry.unlink()


def remove_checkpoint(path: StoragePath) -> None:
    """Removes a checkpoint; one that is partly removed does not count as a checkpoint.

    Raises:
        OSError: Some of it is left.
    """
    (path / MANIFEST).unlink(missing_ok=True)
    remove_tree(path)


def discard_checkpoint(path: StoragePath) -> None:
    """Removes what a failed save has left, as far as possible."""
    with suppress(OSError):
        remove_checkpoint(path)


@contextmanager
def staging_directory(path: StoragePath) -> Iterator[Path]:
    """Yields the local directory that this rank writes its files of a checkpoint into.

    This is the directory of the checkpoint, or a temporary one if the checkpoint is on object
    storage; `upload_staged` copies the files from there.

    Args:
        path: Directory of the checkpoint.
    """
    if isinstance(path, Path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="raymon-") as here:
        yield Path(here)


def upload_staged(staged: Path, path: StoragePath) -> None:
    """Uploads the files of a staging directory into the directory of the checkpoint.

    Args:
        staged: The staging directory.
        path: Directory of the checkpoint.

    Raises:
        OSError: Some of it could not be uploaded.
    """
    if not isinstance(path, Path):
        upload(staged, path)


def write_part(path: Path, name: str, part: Mapping[str, Any]) -> None:
    """Writes tensors, numbers and strings into the file `name` of a checkpoint."""
    # Written by Python: on a full disk, torch only reports an unexpected file position.
    content = io.BytesIO()
    torch.save(dict(part), content)
    write_whole(path / name, content.getvalue())


def rank_part(rank: int) -> str:
    """Returns the name of the file with the state of a rank."""
    return f"rank-{rank:05d}.pt"


def file_entries(path: Path, rank: int, names: Sequence[str]) -> dict[str, FileEntry]:
    """Returns the sizes and hashes of the files that a rank wrote, by name.

    Args:
        path: Directory with the files.
        rank: Rank that wrote them; the files of its tensors are found by name.
        names: Names of its other files.
    """
    of_tensors = [entry.name for entry in path.glob(f"__{rank}_*.distcp")]
    index = [INDEX] if rank == 0 else []
    return {name: FileEntry.of(path / name) for name in (*names, *of_tensors, *index)}


def write_manifest(
    path: StoragePath,
    *,
    step: int,
    epoch: int,
    stopped: str | None = None,
    metrics: Mapping[str, float],
    world_size: int,
    files: Mapping[str, FileEntry],
    tensors: Mapping[str, TensorPlace],
    embedding_tables: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Commits a checkpoint, once all its files are written.

    Raises:
        RunError: A file of another rank is missing.
        OSError: The manifest could not be written.
    """
    sizes = file_sizes(path)
    missing = [name for name, entry in files.items() if sizes.get(name) != entry.size]
    if missing:
        raise RunError(
            f"{path}: {missing[0]}, written by another worker, is not there; "
            "model_dir has to be on storage that all workers share"
        )
    manifest = {
        "step": step,
        "epoch": epoch,
        "stopped": stopped,
        "metrics": dict(metrics),
        "world_size": world_size,
        "raymon_version": __version__,
        "torch_version": torch.__version__,
        "files": {name: asdict(entry) for name, entry in files.items()},
        "tensors": {name: asdict(place) for name, place in tensors.items()},
        "embedding_tables": [dict(plan) for plan in embedding_tables],
    }
    write_whole(path / MANIFEST, encode_manifest(manifest))


def read_part(path: StoragePath, name: str, device: torch.device) -> dict[str, Any]:
    """Reads a file written by `write_part`. Only tensors and plain values; no code in it is run.

    Raises:
        RunError: It cannot be read, or has anything else.
    """
    try:
        content = io.BytesIO((path / name).read_bytes())
        part: dict[str, Any] = torch.load(content, map_location=device, weights_only=True)
    except Exception as error:
        # torch's own message advises to allow the code that is in it.
        raise RunError(f"{path / name}: cannot be read: {type(error).__name__}") from None
    return part
