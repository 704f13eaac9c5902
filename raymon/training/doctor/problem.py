"""Something that will go wrong, and the remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """Something that will go wrong in a run, or cost it time.

    Attributes:
        check: Check that found it, such as "disk".
        text: What is wrong, in one line.
        remedy: What would make it right, in one line.
        host: Machine that it is about; None if it is about none in particular.
        is_fatal: Whether the run will fail; else it is a warning.
    """

    check: str
    text: str
    remedy: str
    host: str | None = None
    is_fatal: bool = False

    def to_json(self) -> dict[str, Any]:
        """Returns the problem as a JSON object."""
        return asdict(self)
