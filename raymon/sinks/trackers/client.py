"""What is written for each tracker: the calls of its library, made in a process of their own."""

from __future__ import annotations

import re
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from raymon.sinks.trackers.events import Event, TrackedRun

LENGTH = struct.Struct("<Q")
"""The bytes of an answer of its process, before it."""

_CREDENTIALS = re.compile(r"(\w[\w+.-]*://)[^/\s@]*@")
_TOKEN = re.compile(r"((?:token|key|password|secret)=)[^&\s'\"]+", re.IGNORECASE)


@dataclass
class Memory:
    """What is kept of a tracker's run in `monitor/`, for the next process that continues it.

    Attributes:
        run_id: Id of the run in the tracker; empty before there is one.
        rows: Rows that were written, where the tracker numbers them.
        checkpoints: Directory by step of the newest checkpoints.
    """

    run_id: str = ""
    rows: int = 0
    checkpoints: dict[str, str] = field(default_factory=dict)


class TrackerClient(ABC):
    """The library of a tracker, as far as a run needs it.

    It is made in the process of the user, pickled, and used in a process of its own; no method but
    the constructor is called elsewhere, so only methods import the library.

    Attributes:
        package: Name of the library, to import.
        title: Name of the tracker, for people.
        passed: What the names of its environment variables begin with; those of the driver are
            passed on to its process, wherever that is.
        environment: Environment variables that keep the library quiet and short of breath.
        notes: Notices for people; whoever called takes them.
    """

    package: str
    title: str
    passed: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._noted: set[str] = set()

    @property
    @abstractmethod
    def where(self) -> str:
        """Where the tracker is, for messages, without secrets."""

    @abstractmethod
    def open(self, run: TrackedRun, memory: Memory) -> Memory:
        """Begins a run, or continues the one of `memory`; the result knows its id."""

    @abstractmethod
    def write(self, events: Sequence[Event]) -> Memory:
        """Writes events in order, and returns what has to be kept of them."""

    @abstractmethod
    def close(self) -> None:
        """Writes what is left."""

    def abandon(self) -> None:
        """Writes what is left where nobody calls any more, closed or not."""
        return

    def note(self, about: str, text: str) -> None:
        """Adds a notice, unless there was one about the same."""
        if about not in self._noted:
            self._noted.add(about)
            self.notes.append(text)


def redacted(text: str) -> str:
    """Returns a text without the credentials of addresses, and without tokens in their queries."""
    return _TOKEN.sub(r"\1...", _CREDENTIALS.sub(r"\1", text))


def has_credentials(address: str) -> bool:
    """Returns whether an address has what only its user may know."""
    return redacted(address) != address
