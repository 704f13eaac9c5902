"""A request of a person to a run, and the answer of its driver, as they travel."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from raymon.storage import to_json
from raymon.wire import PROFILE, STOP

STATUS, STACK = "status", "stack"

KINDS = (STATUS, STACK, PROFILE, STOP)

ACCEPTED, DONE, FAILED, REFUSED = "accepted", "done", "failed", "refused"
"""States of an answer: it will be done, it is, it cannot be, and it is not as it would be right."""


@dataclass(frozen=True)
class Request:
    """A request to a run.

    Attributes:
        kind: One of `KINDS`.
        options: Its options by name; JSON values.
        id: Id of the request, unique.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def to_bytes(self) -> bytes:
        """Returns the request as JSON."""
        return to_json({"kind": self.kind, "options": self.options}).encode()

    @classmethod
    def from_bytes(cls, id: str, data: bytes) -> Request:
        """Returns the request that `to_bytes` made.

        Raises:
            ValueError: It is none, or of a kind that this version does not know.
        """
        known = json.loads(data)
        if not isinstance(known, dict) or not isinstance(known.get("options"), dict):
            raise ValueError("not a request")
        if known.get("kind") not in KINDS:
            raise ValueError(f"the run knows no request {known.get('kind')}")
        return cls(known["kind"], known["options"], id)


@dataclass(frozen=True)
class Answer:
    """An answer to a request.

    Attributes:
        state: `ACCEPTED`, and then one of `DONE`, `FAILED` and `REFUSED`.
        text: What was done, or why not, in one line.
        result: What was asked for; JSON values.
    """

    state: str
    text: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_last(self) -> bool:
        """Whether no other answer follows."""
        return self.state != ACCEPTED

    def to_bytes(self) -> bytes:
        """Returns the answer as JSON."""
        return to_json(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Answer:
        """Returns the answer that `to_bytes` made.

        Raises:
            ValueError: It is none.
        """
        try:
            return cls(**json.loads(data))
        except TypeError:
            raise ValueError("not an answer") from None
