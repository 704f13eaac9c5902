"""Lines of JSON objects that have a `global_step`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from raymon.storage import to_json


def to_line(record: Mapping[str, Any]) -> bytes:
    """Returns the line of a record, with null for NaN and infinities, as JSON has none of them."""
    return (to_json(record) + "\n").encode()


def is_before(line: bytes, time: float) -> bool:
    """Returns whether a line is not known to be of a time or later.

    Args:
        line: The line, with a `time`.
        time: The time, in seconds since 1970.
    """
    try:
        return float(json.loads(line)["time"]) < time
    except (ValueError, KeyError, TypeError):
        return True


def is_until(line: bytes, step: int) -> bool:
    """Returns whether a line is whole, and not of a step after `step`."""
    try:
        return int(json.loads(line)["global_step"]) <= step
    except (ValueError, KeyError, TypeError):
        return False
