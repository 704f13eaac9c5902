"""Checks of the directory that a run writes to."""

from __future__ import annotations

import os
from pathlib import Path

from raymon.errors import ConfigError, RunError


def check_mounted(model_dir: Path) -> None:
    """Checks that a path is one of a file system.

    Raises:
        ConfigError: It is not.
    """
    if "://" in str(model_dir) or ":/" in str(model_dir):
        raise ConfigError(f"model_dir: {model_dir}: raymon writes to local or mounted paths only")


def check_writable(model_dir: Path) -> None:
    """Checks that a directory can be written to, or made.

    Raises:
        RunError: It cannot.
    """
    existing = model_dir
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        raise RunError(f"{model_dir}: cannot be written: {existing} is a file")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise RunError(f"{model_dir}: cannot be written: no permission to write to {existing}")
