"""The lines of stacks that say where a process is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from raymon import errors

_RAYMON = str(Path(errors.__file__).parent)

_INSTALLED = re.compile(r"/(site|dist)-packages/|/lib/python\d+\.\d+/|^<")
"""What the paths of code have that came with Python or was installed, on any machine."""

_OF_PY_SPY = re.compile(r"^\s+(?P<function>\S+) \((?P<file>.+?)(:(?P<line>\d+))?\)$")
_OF_FAULTHANDLER = re.compile(r'^\s+File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)$')

_TRAINS = ("run_worker",)
"""Functions that only the training thread is in."""

_MOST = 4
"""Threads that are named at most."""


@dataclass(frozen=True)
class _Frame:
    function: str
    file: str
    line: str

    @property
    def is_of_raymon(self) -> bool:
        return self.file.startswith(_RAYMON) or "/site-packages/raymon/" in self.file

    @property
    def is_of_user(self) -> bool:
        return not self.is_of_raymon and not _INSTALLED.search(self.file)

    def __str__(self) -> str:
        return f"{self.function} ({self.file}:{self.line})"


def telling_lines(text: str) -> list[str]:
    """Returns where threads are, in user code, such as `predict (my_models.py:12)`.

    Of each thread that is in user code which raymon called it is the innermost frame of that, the
    training thread first. If that is in none, its innermost frame is named with that of raymon.

    Args:
        text: Stacks as of `StackDump`.
    """
    threads = sorted(_threads(text), key=lambda frames: not _is_training(frames))
    lines = []
    for frames in threads:
        of_user = [frame for frame in frames if frame.is_of_user and _is_called(frame, frames)]
        if of_user:
            lines.append(str(of_user[0]))
        elif _is_training(frames):
            of_raymon = [frame for frame in frames if frame.is_of_raymon][:1]
            lines.append(
                " in ".join(str(frame) for frame in dict.fromkeys([frames[0], *of_raymon]))
            )
    return lines[:_MOST]


def _is_training(frames: list[_Frame]) -> bool:
    return any(frame.function.rpartition(".")[2] in _TRAINS for frame in frames)


def _is_called(frame: _Frame, frames: list[_Frame]) -> bool:
    """Returns whether raymon is among the callers of a frame: not so the user's own program."""
    return any(caller.is_of_raymon for caller in frames[frames.index(frame) :])


def _threads(text: str) -> Iterator[list[_Frame]]:
    frames: list[_Frame] = []
    for line in text.splitlines():
        found = _OF_PY_SPY.match(line) or _OF_FAULTHANDLER.match(line)
        if found:
            frames.append(_Frame(found["function"], found["file"], found["line"] or "?"))
        elif frames:
            yield frames
            frames = []
    if frames:
        yield frames
