"""`raymon status`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from raymon.cli.asking import ask_run, run_address_option, run_argument
from raymon.cli.options import json_option
from raymon.cli.status_text import status_lines
from raymon.cli.streams import readable, say

if TYPE_CHECKING:
    from raymon.storage import StoragePath


_FRESH_S, _NEWEST_S = 7.0, 30.0
"""Seconds for which what a run has written of itself counts as now, and if it does not answer."""


@click.command()
@run_argument
@run_address_option
@json_option
def status(run: str, address: str | None, as_json: bool) -> None:
    """Print where the run in directory RUN is: of one that goes on, and of one that is over.

    Exits with 1 where a run goes on and does not answer.
    """
    from raymon.storage import to_json
    from raymon.training.on_demand.find_run import find_run
    from raymon.training.on_demand.request import STATUS

    found, silent = find_run(run, address), None
    if found.address is not None:
        known = dict(ask_run(run, found.address, STATUS).result)
    else:
        known, silent = _of_directory(found.model_dir)
    if as_json:
        say(to_json(known))
    else:
        for line in status_lines(known):
            say(line)
    if silent is not None:
        click.echo(readable(f"raymon: {silent}"), err=True)
        sys.exit(1)


def _of_directory(model_dir: StoragePath) -> tuple[dict[str, Any], str | None]:
    """Returns the status of a run, and why it does not answer; None if it does or is over."""
    from raymon.errors import AnswerError, RunError, reason
    from raymon.run_dir import read_lease
    from raymon.training.on_demand.ask import ask
    from raymon.training.on_demand.request import STATUS, Request
    from raymon.training.on_demand.run_status import kept_status, told_status, with_process

    lease, silent = read_lease(model_dir), None
    if lease is not None and not lease.is_over:
        told = told_status(model_dir, _FRESH_S)
        if told is not None:
            return with_process(told, lease), None
        try:
            answer = ask(model_dir, Request(STATUS), lambda: None)
            return with_process(dict(answer.result), lease), None
        except AnswerError as error:
            silent = str(error)
            lease = read_lease(model_dir)
            told = told_status(model_dir, _NEWEST_S)
            if lease is not None and told is not None:
                # A loop of somebody's own is watched, and answers nothing.
                return with_process(told, lease), None
    is_over = lease is None or lease.is_over
    try:
        known = kept_status(model_dir, is_over=is_over)
    except (OSError, ValueError) as error:
        raise RunError(f"{model_dir}: its summary cannot be read: {reason(error)}") from None
    return (known, None) if is_over else (with_process(known, lease), silent)
