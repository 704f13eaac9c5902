"""The `raymon` command."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback

import click

from raymon import __version__
from raymon.cli.best import best
from raymon.cli.checkpoint import checkpoint
from raymon.cli.config import config
from raymon.cli.evaluate import evaluate
from raymon.cli.export import export
from raymon.cli.predict import predict
from raymon.cli.submit import submit
from raymon.cli.train import train
from raymon.errors import RaymonError, UserError
from raymon.log import set_up_logging

EXIT_FAILED = 1
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="raymon")
def raymon() -> None:
    """Train PyTorch models on Ray, and see the true numbers of the whole cluster meanwhile."""


raymon.add_command(train)
raymon.add_command(submit)
raymon.add_command(evaluate)
raymon.add_command(export)
raymon.add_command(predict)
raymon.add_command(best)
raymon.add_command(checkpoint)
raymon.add_command(config)


def main() -> None:
    """Runs the command line. Exits with 0 when done, 1 when the run failed, 2 when what the user
    gave is wrong, 130 after Ctrl-C."""
    # A model of the user's own is found where the command is run, as with `python -m`.
    sys.path.insert(0, os.getcwd())
    # Who stops a job politely means what Ctrl-C means.
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    try:
        set_up_logging()
        raymon.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(EXIT_USER_ERROR)
    except click.ClickException as error:
        click.echo(f"raymon: {error.format_message()} (see --help)", err=True)
        sys.exit(EXIT_USER_ERROR)
    except UserError as error:
        click.echo(f"raymon: {error}", err=True)
        sys.exit(EXIT_USER_ERROR)
    except RaymonError as error:
        click.echo(f"raymon: {error}", err=True)
        if logging.getLogger("raymon").isEnabledFor(logging.DEBUG):
            traceback.print_exc()
        sys.exit(EXIT_FAILED)
    except (KeyboardInterrupt, click.Abort):
        click.echo("raymon: interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
