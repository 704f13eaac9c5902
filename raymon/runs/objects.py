"""Objects in what was parsed, where others may have written anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def objects_in(value: Any) -> list[Mapping[str, Any]]:
    """Returns the objects in a list; none if it is no list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def objects_by_rank(value: Any) -> dict[int, Mapping[str, Any]]:
    """Returns the objects in a list that have a `rank`, by it."""
    return {each["rank"]: each for each in objects_in(value) if isinstance(each.get("rank"), int)}


def object_in(value: Any) -> Mapping[str, Any]:
    """Returns an object; an empty one if it is none."""
    return value if isinstance(value, Mapping) else {}
