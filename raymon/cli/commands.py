"""All commands as one."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from raymon.cli.best import best
from raymon.cli.checkpoint import checkpoint
from raymon.cli.config import config
from raymon.cli.evaluate import evaluate
from raymon.cli.export import export
from raymon.cli.predict import predict
from raymon.cli.submit import submit
from raymon.cli.train import train
from raymon.cli.versions import versions_option


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@versions_option
def raymon() -> None:
    """Train PyTorch models on Ray, and see the true numbers of the whole cluster meanwhile."""
    # Only where a command is run: --version and completion do without torch, which takes seconds.
    import_module("raymon.config")
    # A model of the user's own is found where the command is run, as with `python -m`; what raymon
    # needs is not looked for there.
    sys.path.insert(0, os.getcwd())


raymon.add_command(train)
raymon.add_command(submit)
raymon.add_command(evaluate)
raymon.add_command(export)
raymon.add_command(predict)
raymon.add_command(best)
raymon.add_command(checkpoint)
raymon.add_command(config)
