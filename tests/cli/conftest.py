"""What tests of the command line leave as they found it."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def _paths_of_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    # A command looks for custom classes in its working directory, which here is that of a test.
    monkeypatch.setattr(sys, "path", [*sys.path])
