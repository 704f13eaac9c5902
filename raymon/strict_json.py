"""JSON that every reader accepts: a number that has no value is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_line_encoder = json.JSONEncoder(allow_nan=False)


def to_json(value: Any, indent: int | None = None) -> str:
    """Returns the JSON text of a value, in which NaN and infinities are null.

    `json.dumps` writes them as `NaN` and `Infinity`, which are not JSON: jq, JavaScript, Go and
    databases refuse the whole file.

    Args:
        value: Value of dicts and other mappings, lists, tuples, texts, numbers, booleans and None.
        indent: Spaces for each level, on separate lines; None for one line.
    """
    encoder = _line_encoder if indent is None else json.JSONEncoder(allow_nan=False, indent=indent)
    try:
        return encoder.encode(value)
    except (ValueError, TypeError):
        # It has numbers that are not finite, or mappings that are no dicts, which is rare.
        return encoder.encode(_finite(value))


def numbers_of(values: Mapping[str, float | None]) -> dict[str, float]:
    """Returns numbers by name as they were before `to_json`, with NaN for null."""
    return {name: math.nan if value is None else float(value) for name, value in values.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value
