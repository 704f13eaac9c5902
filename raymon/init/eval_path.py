"""The evaluation data beside training data."""

from __future__ import annotations

import os

from raymon.storage import StoragePath, storage_path

_TRAIN, _EVAL = "train", ("eval", "test", "valid", "validation", "val", "dev")


def find_evaluation(path: str) -> tuple[str, str | None]:
    """Returns the training data and the evaluation data that a path means.

    A directory with a directory "train" means that. Evaluation data is what is called eval, test,
    valid, validation, val or dev where the training data is called train: a directory, or a file
    with the same ending. Globs and lists of paths mean themselves.

    Args:
        path: Path, as a user gives it.

    Returns:
        The path of the training data, and that of the evaluation data; None if there is none.
    """
    if any(character in path for character in "*?[{,"):
        return path, None
    separator = "" if path.endswith("/") else "/"
    if _there(f"{path}{separator}{_TRAIN}") and _is_directory(path):
        path = f"{path}{separator}{_TRAIN}"
    stripped = path.rstrip("/")
    head, slash, name = stripped.rpartition("/")
    stem, dot, ending = name.partition(".")
    if stem != _TRAIN:
        return path, None
    others = (f"{head}{slash}{other}{dot}{ending}" for other in _EVAL)
    return path, next((other for other in others if _there(other)), None)


def _is_directory(path: str) -> bool:
    try:
        return bool(storage_path(path).is_dir())
    except OSError:
        return False


def _there(path: str) -> bool:
    try:
        found: StoragePath = storage_path(path)
        return bool(found.exists()) and os.path.basename(path) != ""
    except OSError:
        return False
