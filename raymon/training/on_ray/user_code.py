"""Sends the user's code to a cluster that does not have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_NOT_SENT = (".git", ".venv", "__pycache__")


def code_environment(directory: Path) -> dict[str, Any]:
    """Returns the runtime environment that sends a directory to all workers.

    Files that git ignores are not sent.
    """
    return {"working_dir": str(directory.resolve()), "excludes": list(_NOT_SENT)}
