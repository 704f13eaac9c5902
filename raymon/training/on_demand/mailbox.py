"""Where requests to a run arrive: files in its directory, which any process that sees it writes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from raymon.storage import StoragePath, write_whole

LOOK_S, LOOK_AT_OBJECTS_S = 1.0, 5.0
"""Seconds between two looks of a run for requests, on a file system and on object storage."""

_NAME = re.compile(r"([0-9a-f]{32})\.json")
_MOST_BYTES = 64 << 10


class Mailbox(Protocol):
    """A place where requests arrive, and where those who made them look for answers."""

    @property
    def linger_s(self) -> float:
        """Seconds for which the last answers have to be kept, for those who look for them."""

    def posted(self) -> Mapping[str, bytes]:
        """Returns requests by id; those that were returned before may be among them."""

    def reply(self, request: str, body: bytes) -> None:
        """Gives an answer to a request, in place of an earlier one."""


def request_path(model_dir: StoragePath, request: str) -> StoragePath:
    """Returns the file of a request."""
    return model_dir / "monitor" / "requests" / f"{request}.json"


def answer_path(model_dir: StoragePath, request: str) -> StoragePath:
    """Returns the file of the newest answer to a request."""
    return model_dir / "monitor" / "requests" / f"{request}.answer.json"


def clear_requests(model_dir: StoragePath) -> None:
    """Removes what was asked of an earlier session; to be called once this one has the directory.

    Whoever asks from then on asks this session, and gets an answer when it has begun.
    """
    directory = model_dir / "monitor" / "requests"
    with suppress(OSError):
        for name in [path.name for path in directory.iterdir()]:
            (directory / name).unlink()


class FileMailbox:
    """Requests and answers as files in `monitor/requests/`.

    Args:
        model_dir: Directory of the run.
        clock: Monotonic clock, in seconds.
    """

    linger_s = 0.0

    def __init__(self, model_dir: StoragePath, clock: Callable[[], float] = time.monotonic) -> None:
        self._model_dir = model_dir
        self._directory = model_dir / "monitor" / "requests"
        self._clock = clock
        self._every_s = LOOK_S if isinstance(model_dir, Path) else LOOK_AT_OBJECTS_S
        self._look_at = 0.0
        self._known: set[str] = set()

    def posted(self) -> Mapping[str, bytes]:
        """Returns the requests that were not returned before; looks only every so often.

        Raises:
            OSError: The storage does not answer.
        """
        now = self._clock()
        if now < self._look_at:
            return {}
        self._look_at = now + self._every_s
        try:
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:
            return {}
        new: dict[str, bytes] = {}
        for found in map(_NAME.fullmatch, names):
            if found is not None and found[1] not in self._known:
                # One that cannot be read now may be later, and must not hold up the others.
                with suppress(OSError):
                    new[found[1]] = request_path(self._model_dir, found[1]).read_bytes()
                    self._known.add(found[1])
        return {request: body for request, body in new.items() if len(body) <= _MOST_BYTES}

    def reply(self, request: str, body: bytes) -> None:
        """Writes an answer, unless nobody waits for it any more.

        Raises:
            OSError: It is not written.
        """
        if request_path(self._model_dir, request).exists():
            write_whole(answer_path(self._model_dir, request), body)
