"""The `raymon` command group, with all commands."""

from __future__ import annotations

import click

from raymon.cli.best import best
from raymon.cli.board import board
from raymon.cli.checkpoint import checkpoint
from raymon.cli.compare import compare
from raymon.cli.config import config
from raymon.cli.doctor import doctor
from raymon.cli.evaluate import evaluate
from raymon.cli.explain import explain
from raymon.cli.export import export
from raymon.cli.init import init
from raymon.cli.predict import predict
from raymon.cli.profile import profile
from raymon.cli.runs import runs
from raymon.cli.stack import stack
from raymon.cli.status import status
from raymon.cli.stop import stop
from raymon.cli.submit import submit
from raymon.cli.train import train
from raymon.cli.tune import tune
from raymon.cli.versions import versions_option
from raymon.cli.watch import watch


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@versions_option
def raymon() -> None:
    """Train PyTorch models on Ray, and see the true numbers of the whole cluster meanwhile."""


raymon.add_command(init)
raymon.add_command(train)
raymon.add_command(tune)
raymon.add_command(submit)
raymon.add_command(evaluate)
raymon.add_command(board)
raymon.add_command(explain)
raymon.add_command(export)
raymon.add_command(predict)
raymon.add_command(watch)
raymon.add_command(runs)
raymon.add_command(compare)
raymon.add_command(status)
raymon.add_command(stack)
raymon.add_command(profile)
raymon.add_command(stop)
raymon.add_command(best)
raymon.add_command(checkpoint)
raymon.add_command(config)
raymon.add_command(doctor)
