"""What figures depend on: the hardware, the versions, the commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

_PACKAGES = (
    "ray",
    "torch",
    "torchrec",
    "fbgemm-gpu-cpu",
    "torchmetrics",
    "pyarrow",
    "numpy",
    "lightning",
    "scikit-learn",
    "pandas",
    "tensorboardX",
    "tensorboard",
)


def machine() -> str:
    """Returns the hardware and the system."""
    gib = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return f"{_processor()}, {os.cpu_count()} CPUs, {gib:.0f} GiB, {system}"


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that are measured."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """Returns the commit that is measured; empty outside of git.

    It ends in `+` if files differ from the commit.
    """
    root = Path(__file__).parents[2]
    try:
        head = _git(root, "rev-parse", "--short=10", "HEAD")
        changed = _git(
            root, "status", "--porcelain", "--untracked-files=no", "raymon", "benchmarks"
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    # Results of an earlier run do not count as changes.
    lines = [line for line in changed.splitlines() if "benchmarks/results" not in line]
    return head + "+" * bool(lines)


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.rstrip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
