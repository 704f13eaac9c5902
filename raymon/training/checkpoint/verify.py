"""Verifies that checkpoints are what was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from raymon.errors import RunError
from raymon.storage import StoragePath
from raymon.training.checkpoint.manifest import (
    MANIFEST,
    ManifestError,
    checkpoint_directories,
    find_corruption,
    is_checkpoint_path,
    read_manifest,
)


@dataclass(frozen=True)
class Verdict:
    """The result for a directory.

    Attributes:
        path: The directory.
        files: Number of files.
        nbytes: Bytes of all files.
        problem: What is wrong; None for nothing.
    """

    path: StoragePath
    files: int
    nbytes: int
    problem: str | None

    def __str__(self) -> str:
        if self.problem is not None:
            return f"{self.path}: {self.problem}"
        return f"{self.path}: sound, {self.files} files, {self.nbytes:,} bytes"


def verify_checkpoints(path: StoragePath) -> Iterator[Verdict]:
    """Yields verdicts of the checkpoint in a directory, or of all checkpoints of a run, by step.

    Raises:
        RunError: There is no checkpoint.
    """
    directories = checkpoint_directories(path)
    if is_checkpoint_path(path) and path.is_dir():
        directories = [path]
    if not directories:
        raise RunError(f"{path}: no checkpoint, nor the directory of a run with one")
    for directory in directories:
        try:
            checkpoint = read_manifest(directory)
        except ManifestError:
            yield Verdict(directory, 0, 0, f"damaged: {MANIFEST} is not what was written")
            continue
        if checkpoint is None:
            yield Verdict(directory, 0, 0, f"not complete: no {MANIFEST}, which is written last")
            continue
        nbytes = sum(entry.size for entry in checkpoint.files.values())
        yield Verdict(directory, len(checkpoint.files), nbytes, find_corruption(checkpoint))
