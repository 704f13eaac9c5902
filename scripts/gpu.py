"""Tests CUDA and measures on it, on a machine with one GPU: `make gpu`.

The tests in `tests/gpu` and the benchmark `gpu` run in processes in which Ray cannot be imported,
so a machine does not need it; where it is installed, `tests/gpu/with_ray` comes last. On a machine
without a GPU it says so, and nothing fails.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import torch

_ROOT = Path(__file__).parents[1]
_TESTS = "tests/gpu"
_WITHOUT_RAY = ("-m", "scripts.without_ray")
_OF_CUDA_ALONE = ("test_compiled.py", "test_device_feed.py", "test_limits.py")
_DEVICE = "RAYMON_TEST_DEVICE"


@dataclass(frozen=True)
class Part:
    """A part of the command.

    Attributes:
        name: Name for people.
        arguments: Arguments of Python.
    """

    name: str
    arguments: Sequence[str]

    def run(self, device: str) -> bool:
        """Runs the part in a process of its own; returns whether it succeeded."""
        began = time.monotonic()
        environment = {**os.environ, _DEVICE: device}
        done = subprocess.run([sys.executable, *self.arguments], cwd=_ROOT, env=environment)
        outcome = "passed" if done.returncode == 0 else f"FAILED, exit code {done.returncode}"
        click.echo(f"== {self.name}: {outcome}, {time.monotonic() - began:.0f} s")
        return done.returncode == 0


def parts(quick: bool, device: str, *, has_ray: bool) -> list[Part]:
    """Returns what is run, in order.

    Args:
        quick: Whether the quick form of the benchmark is run.
        device: Device of the tests; with "cpu" nothing is measured.
        has_ray: Whether Ray is installed.
    """
    pytest = ("pytest", "-m", "gpu", "-p", "no:cacheprovider")
    left_out = ["with_ray", *(_OF_CUDA_ALONE if device == "cpu" else ())]
    ignored = [f"--ignore={_TESTS}/{name}" for name in left_out]
    found = [Part("tests without Ray", (*_WITHOUT_RAY, *pytest, _TESTS, *ignored))]
    if device != "cpu":
        more = ("--quick",) if quick else ()
        store = "benchmarks.harness.everything"
        found.append(Part("benchmark", (*_WITHOUT_RAY, store, "gpu", *more)))
    if has_ray:
        found.append(Part("tests with Ray", ("-m", *pytest, f"{_TESTS}/with_ray")))
    return found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="The quick form of the benchmark.")
@click.option(
    "--device",
    type=click.Choice(["cuda", "cpu"]),
    default="cuda",
    show_default=True,
    help="With cpu the tests themselves are tried, without a GPU.",
)
def main(quick: bool, device: str) -> None:
    """Tests CUDA and measures on it, on a machine with one GPU."""
    if device == "cuda" and not torch.cuda.is_available():
        click.echo("torch finds no GPU on this machine: nothing is tested or measured")
        return
    has_ray = importlib.util.find_spec("ray") is not None
    if not has_ray:
        click.echo("Ray is not installed: what needs it is left out")
    done = [part.run(device) for part in parts(quick, device, has_ray=has_ray)]
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
