"""The version of raymon, installed or not."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import raymon

ROOT = Path(__file__).parents[1]
WITHOUT = """
import importlib.metadata

def version(name):
    raise importlib.metadata.PackageNotFoundError(name)

importlib.metadata.version = version
import raymon
print(raymon.__version__)
"""


def test_it_is_that_of_the_installation() -> None:
    assert raymon.__version__ == version("raymon")


def test_a_checkout_that_is_not_installed_can_be_imported() -> None:
    command = [sys.executable, "-c", WITHOUT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "0+unknown\n"), done.stderr
