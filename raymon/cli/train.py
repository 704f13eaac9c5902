"""`raymon train`."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from raymon.cli.options import (
    address_option,
    board_option,
    custom_classes_option,
    json_option,
    log_options,
    num_workers_option,
    resume_options,
    set_option,
    with_num_workers,
)
from raymon.cli.streams import say


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@set_option
@num_workers_option
@custom_classes_option
@log_options
@resume_options
@address_option
@board_option
@json_option
def train(
    config: Path,
    overrides: tuple[str, ...],
    num_workers: int | None,
    resume: bool,
    resume_if_any: bool,
    address: str | None,
    board_port: int | None,
    as_json: bool,
) -> None:
    """Train the model that CONFIG describes."""
    from raymon.cli.board_beside import board_beside
    from raymon.cli.summary import print_summary
    from raymon.config import load
    from raymon.runs import DIVERGED
    from raymon.storage import to_json
    from raymon.training.resuming import has_checkpoint
    from raymon.training.train import train as run

    given = with_num_workers(overrides, num_workers)
    model_dir = load(config, given).model_dir if board_port or resume_if_any else ""
    resume = resume or (resume_if_any and has_checkpoint(model_dir))
    with board_beside(model_dir if board_port else "", board_port):
        summary = run(config, given, resume=resume, address=address)
    if as_json:
        say(to_json(asdict(summary)))
    else:
        print_summary(summary, has_cluster=bool(address or os.environ.get("RAY_ADDRESS")))
    if summary.status == DIVERGED:
        # The log says what is wrong.
        sys.exit(1)
