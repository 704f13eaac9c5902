"""What every log line of a process has in common: run, attempt, rank, process."""

from __future__ import annotations

from typing import Any

_context: dict[str, Any] = {}


def set_log_context(**fields: Any) -> None:
    """Gives every later JSON line of this process some fields; None takes a field back.

    Args:
        fields: Fields by name, such as `run`, `attempt`, `rank` and `process`.
    """
    for name, value in fields.items():
        if value is None:
            _context.pop(name, None)
        else:
            _context[name] = value


def log_context() -> dict[str, Any]:
    """Returns the fields that every JSON line of this process has."""
    return dict(_context)
