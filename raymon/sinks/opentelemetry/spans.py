"""A finished span of a trace, and the ids of spans."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_SPAN_ID_BYTES = 8
_NS = 1_000_000_000


@dataclass(frozen=True)
class FinishedSpan:
    """A span that is over.

    Attributes:
        trace_id: Id of the trace, 16 bytes.
        span_id: Id of the span, 8 bytes.
        parent_id: Id of the span that it is a part of; empty for none.
        name: Name; few different ones.
        start_ns: Nanoseconds since 1970 at its start.
        end_ns: Nanoseconds since 1970 at its end, never before the start.
        attributes: What is known of it; numbers without a value are left out when it is sent.
        error: What went wrong, in one line; None for nothing.
        links: Ids of spans of the same trace that it goes on from.
    """

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, str | bool | int | float]
    error: str | None = None
    links: Sequence[bytes] = field(default=())


def span_id_of(trace_id: bytes, *key: object) -> bytes:
    """Returns the id of a span, which is the same whenever the span is made again.

    Back ends show a span that comes twice, as after a restart of the reporter, once.

    Args:
        trace_id: Id of the trace.
        key: What tells the span from others of the trace.
    """
    text = "|".join(map(str, key)).encode()
    return hashlib.sha256(trace_id + text).digest()[:_SPAN_ID_BYTES]


def new_span_id() -> bytes:
    """Returns a new id of a span."""
    return os.urandom(_SPAN_ID_BYTES)


def nanoseconds(seconds: float) -> int:
    """Returns seconds as whole nanoseconds; at least 0."""
    whole, part = divmod(max(0.0, seconds), 1)
    # A float of the nanoseconds since 1970 would be off by hundreds.
    return int(whole) * _NS + round(part * _NS)
