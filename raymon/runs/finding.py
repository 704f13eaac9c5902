"""Finds the runs in directories."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import pyarrow as pa

from raymon.errors import UserError, first_line, os_reason
from raymon.runs.run_file import RUN_FILE
from raymon.storage import ObjectPath, StoragePath, absolute, storage_path

_DEEPEST = 12
_MOST_DIRECTORIES = 200_000
"""Directories that are searched at most, should somebody give the root of a file system."""

_REQUESTS = 16
"""Requests to object storage at once."""

_OF_A_RUN = re.compile(
    r"model\.ckpt-.*|monitor|logs|export|eval_val|train_eval_trace|\..*|__pycache__|node_modules"
)
"""Names of directories in which no runs are."""


@dataclass
class FoundRuns:
    """The runs in directories.

    Attributes:
        paths: Directories of the runs, each once.
        notes: What could not be searched, each in a line.
    """

    paths: list[StoragePath] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_runs(roots: Iterable[str | PathLike[str] | ObjectPath]) -> FoundRuns:
    """Returns the runs in directories and in directories in them, in the order of their names.

    Of a run only directories that are not its own (checkpoints, logs, ...) are searched further:
    a `raymon.Monitor` with a name has a run in the directory of another one. Links are followed,
    and each directory is searched once. Nothing of a run is read: `Run(path)` does that.

    Args:
        roots: Directories, or URIs of object storage; a root may be a run itself.
    """
    found, seen = FoundRuns(), set[tuple[int, int]]()
    for root in roots:
        try:
            path = absolute(storage_path(root))
        except (UserError, OSError, ValueError) as error:
            found.notes.append(first_line(error))
            continue
        if isinstance(path, Path):
            _search_disk(path, found, seen)
        else:
            _search_objects(path, found)
    return found


def _search_disk(root: Path, found: FoundRuns, seen: set[tuple[int, int]]) -> None:
    # A stack of directories, so that no depth is too much.
    waiting: list[tuple[str, int]] = [(str(root), 0)]
    count, unreadable = 0, list[str]()
    while waiting:
        directory, depth = waiting.pop()
        try:
            stat = os.stat(directory)
            if (stat.st_dev, stat.st_ino) in seen:
                continue
            seen.add((stat.st_dev, stat.st_ino))
            names, inner = _entries(directory)
        except (OSError, ValueError) as error:
            why = os_reason(error) if isinstance(error, OSError) else first_line(error)
            if depth == 0:
                found.notes.append(f"{directory}: cannot be searched: {why}")
            else:
                unreadable.append(f"{directory} ({why})")
            continue
        if _is_run(directory, names):
            found.paths.append(Path(directory))
        count += 1
        if count >= _MOST_DIRECTORIES:
            found.notes.append(
                f"{root}: has more than {_MOST_DIRECTORIES:,} directories; the others are not "
                "searched: give a directory further down"
            )
            break
        if depth < _DEEPEST:
            ordered = sorted((n for n in inner if not _OF_A_RUN.fullmatch(n)), reverse=True)
            waiting += [(os.path.join(directory, name), depth + 1) for name in ordered]
    if unreadable:
        number = len(unreadable)
        what = "directory" if number == 1 else "directories"
        found.notes.append(
            f"{number:,} {what} cannot be searched: {', '.join(unreadable[:3])}"
            + (", ..." if number > 3 else "")
        )


def _entries(directory: str) -> tuple[set[str], list[str]]:
    """Returns the names in a directory, and those of directories among them."""
    names, inner = set[str](), list[str]()
    with os.scandir(directory) as entries:
        for entry in entries:
            names.add(entry.name)
            try:
                if entry.is_dir():
                    inner.append(entry.name)
            except OSError:
                # A link that leads nowhere, or in a circle.
                continue
    return names, inner


def _is_run(directory: str, names: set[str]) -> bool:
    if RUN_FILE in names:
        return True
    return "monitor" in names and os.path.exists(os.path.join(directory, "monitor/windows.jsonl"))


def _search_objects(root: ObjectPath, found: FoundRuns) -> None:
    level, count = [root], 0
    with ThreadPoolExecutor(_REQUESTS, "raymon-find") as pool:
        for depth in range(_DEEPEST):
            results = list(pool.map(_object_entries, level))
            count += len(level)
            below: list[ObjectPath] = []
            for path, (is_run, inner, error) in zip(level, results, strict=True):
                if error is not None:
                    found.notes.append(f"{path}: cannot be searched: {error}")
                elif depth == 0 and not is_run and not inner:
                    found.notes.append(f"{path}: there is nothing")
                if is_run:
                    found.paths.append(path)
                below += inner
            if not below or count > _MOST_DIRECTORIES:
                return
            level = below


def _object_entries(path: ObjectPath) -> tuple[bool, list[ObjectPath], str | None]:
    """Returns whether a directory is a run, the directories in it, and why it cannot be read."""
    try:
        states = path.states()
        is_run = RUN_FILE in states or (
            "monitor" in states and "windows.jsonl" in (path / "monitor").states()
        )
    except (OSError, pa.ArrowException) as error:
        return False, [], os_reason(error) if isinstance(error, OSError) else first_line(error)
    names = [name for name, state in states.items() if state is None]
    inner = [path / name for name in sorted(names) if not _OF_A_RUN.fullmatch(name)]
    return is_run, inner, None
