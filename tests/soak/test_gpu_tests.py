"""The tests that need a GPU are tried on the CPU, so that they are right when there is one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.benchmarks.quick import ROOT

pytestmark = pytest.mark.soak


def test_what_needs_no_cuda_in_them_passes() -> None:
    command = [sys.executable, "-m", "scripts.gpu", "--device", "cpu"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stdout
    assert "== tests without Ray: passed" in done.stdout
    assert "== tests with Ray: passed" in done.stdout
