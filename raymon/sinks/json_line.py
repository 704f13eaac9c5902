"""A line with a JSON object that has a `global_step`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_encoder = json.JSONEncoder(allow_nan=False)


def to_line(record: Mapping[str, Any]) -> bytes:
    """The line. NaN and infinities become null, which every JSON reader takes."""
    try:
        text = _encoder.encode(record)
    except (ValueError, TypeError):
        # It has numbers that are not finite, or mappings that are no dicts; few have.
        text = _encoder.encode(_finite(record))
    return (text + "\n").encode()


def is_until(line: bytes, step: int) -> bool:
    """Whether it is whole and not of after `step`."""
    try:
        return int(json.loads(line)["global_step"]) <= step
    except (ValueError, KeyError, TypeError):
        return False


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value
