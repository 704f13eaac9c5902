"""The known configs, and those of a folder that is named by RAYMON_KNOWN_CONFIGS."""

from __future__ import annotations

import os
from pathlib import Path

from tests.known_configs.blocks import text_of
from tests.known_configs.corpus import KNOWN


def texts() -> dict[str, str]:
    """Returns the texts of the configs by name."""
    folder = os.environ.get("RAYMON_KNOWN_CONFIGS")
    if folder is None:
        return {name: text_of(config) for name, config in KNOWN.items()}
    files = sorted(Path(folder).rglob("*.config"))
    return {str(file.relative_to(folder)): file.read_text() for file in files}
