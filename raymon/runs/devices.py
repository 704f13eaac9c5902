"""The devices of the workers of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from raymon.storage import StoragePath, read_file

DEVICES_FILE = "devices.json"
"""Name of the file, in the directory of the run."""


def read_devices(model_dir: StoragePath) -> list[Mapping[str, Any]]:
    """Returns the devices of the workers of the newest attempt; empty if they are not known."""
    try:
        found = json.loads(read_file(model_dir / DEVICES_FILE))["devices"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return found if isinstance(found, list) else []
