"""The user's code on its way to a cluster that does not have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_LEFT_AT_HOME = (".git", ".venv", "__pycache__")


def sent_along(directory: Path) -> dict[str, Any]:
    """The part of Ray's runtime environment that sends a directory to all workers, without what git
    ignores in it."""
    return {"working_dir": str(directory.resolve()), "excludes": list(_LEFT_AT_HOME)}
