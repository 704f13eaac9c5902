"""The Pythons of environments that have raymon alone, or little beside it.

That of the tests has what benchmarks and trackers need, and torchmetrics imports what it finds of
that, which takes four seconds in each process.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from benchmarks.harness.as_installed import environment_of


@cache
def python_of_tests() -> str:
    """The Python of an environment that also has what tests and sharded tables import."""
    return installed_python("pytest", "hypothesis", "torchrec", "fbgemm-gpu", "fbgemm-gpu-cpu")


@cache
def installed_python(*also: str) -> str:
    """The Python of an environment that has raymon alone, or these distributions as well."""
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    python = environment_of("raymon", directory / "environment", *also)
    (packages,) = directory.glob("environment/lib/*/site-packages")
    # A run is ten processes that live for seconds, and most of that is imports, whose objects stay:
    # to look for garbage among them took 0.6 s in each that imports torch.
    (packages / "few_collections.pth").write_text("import gc; gc.set_threshold(50_000, 20, 100)\n")
    return str(python)
