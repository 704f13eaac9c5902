"""The file that lets a trace go on: in a restarted reporter, and in the next session."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from raymon.storage import StoragePath, read_file, to_json, write_whole

TRACE_FILE = "opentelemetry.json"
"""The file, in `monitor` of the directory of a run."""


@dataclass
class OpenSession:
    """A session whose span is not sent yet.

    Attributes:
        span_id: Id of its span, in hexadecimal digits.
        began: Seconds since 1970 at its begin.
    """

    span_id: str
    began: float


@dataclass
class OpenAttempt:
    """An attempt whose span is not sent yet.

    Attributes:
        attempt: Its number, from 1.
        world_size: Number of its ranks.
        step: Step that it goes on from.
        began: Seconds since 1970 at its begin.
    """

    attempt: int
    world_size: int
    step: int
    began: float


@dataclass
class TraceState:
    """Where a trace is.

    Attributes:
        trace_id: Id of the trace, in hexadecimal digits.
        session: Session that goes on; None if none does.
        attempt: Attempt that goes on; None if none does.
        last_session: Id of the span of the session before; None if there was none.
        began: Seconds since 1970 at the begin of the run.
        windows_until: End of the newest window that was sent, in seconds since 1970.
        evaluations_until: End of the newest evaluation that was sent.
    """

    trace_id: str = field(default_factory=lambda: os.urandom(16).hex())
    session: OpenSession | None = None
    attempt: OpenAttempt | None = None
    last_session: str | None = None
    began: float = 0.0
    windows_until: float = 0.0
    evaluations_until: float = 0.0

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Returns the state of a JSON object.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        session, attempt = record["session"], record["attempt"]
        state = cls(
            **{
                **record,
                "session": None if session is None else OpenSession(**session),
                "attempt": None if attempt is None else OpenAttempt(**attempt),
            }
        )
        if len(bytes.fromhex(state.trace_id)) != 16:
            raise ValueError("no id of a trace")
        return state


class TraceFile:
    """The state of a trace, in a file next to the run.

    Args:
        directory: Directory of the run; None keeps nothing.
    """

    def __init__(self, directory: StoragePath | None) -> None:
        self._path = None if directory is None else directory / "monitor" / TRACE_FILE
        self._written = ""

    def read(self) -> TraceState:
        """Returns the state; a new one if there is none, or none that can be understood.

        Raises:
            OSError: The storage does not answer.
        """
        if self._path is None:
            return TraceState()
        try:
            text = read_file(self._path).decode()
            state = TraceState.from_json(json.loads(text))
        except (FileNotFoundError, NotADirectoryError, KeyError, TypeError, ValueError):
            return TraceState()
        self._written = text
        return state

    def write(self, state: TraceState) -> None:
        """Writes the state, if it has changed.

        Raises:
            OSError: It is not written.
        """
        text = to_json(asdict(state)) + "\n"
        if self._path is not None and text != self._written:
            write_whole(self._path, text.encode(), durable=False)
            self._written = text
