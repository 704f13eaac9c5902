"""The Python of an environment that has raymon alone."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from benchmarks.harness.as_installed import environment_of


@cache
def installed_python() -> str:
    """The Python of an environment that has raymon alone."""
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    python = environment_of("raymon", directory / "environment")
    (packages,) = directory.glob("environment/lib/*/site-packages")
    # A run is ten processes that live for seconds, and most of that is imports, whose objects stay:
    # to look for garbage among them took 0.6 s in each that imports torch.
    (packages / "few_collections.pth").write_text("import gc; gc.set_threshold(50_000, 20, 100)\n")
    return str(python)
