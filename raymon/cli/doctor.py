"""`raymon doctor`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raymon.cli.options import (
    custom_classes_option,
    json_option,
    log_options,
    num_workers_option,
    set_option,
    with_num_workers,
)
from raymon.cli.streams import say

if TYPE_CHECKING:
    from raymon.training.run_doctor import Diagnosis


@click.command()
@click.argument("config", type=click.Path(path_type=Path), required=False)
@set_option
@num_workers_option
@custom_classes_option
@log_options
@click.option(
    "--address",
    metavar="ADDRESS",
    help="Ray cluster to look at, such as 'auto'; by default RAY_ADDRESS, or this machine alone.",
)
@json_option
def doctor(
    config: Path | None,
    overrides: tuple[str, ...],
    num_workers: int | None,
    address: str | None,
    as_json: bool,
) -> None:
    """Say what will go wrong in the run that CONFIG describes, before it costs anything.

    Measures versions, disk, storage, shared memory, ports, clocks, network, GPUs and data: on every
    node of the cluster at --address or RAY_ADDRESS, else on this machine alone. Exits with 1 if the
    run will fail.
    """
    from raymon.errors import ConfigError
    from raymon.storage import to_json
    from raymon.training.run_doctor import diagnose

    if config is None and (overrides or num_workers is not None):
        raise ConfigError("--set and --num-workers are of a config; give CONFIG")
    given = with_num_workers(overrides, num_workers) if config is not None else []
    found = diagnose(config, given, address=address)
    if as_json:
        say(to_json(found.to_json()))
    else:
        for line in _lines(found):
            say(line)
    if found.is_fatal:
        sys.exit(1)


def _lines(found: Diagnosis) -> list[str]:
    from raymon.training.doctor import CHECKS, looked_at

    facts = found.facts
    where = "this machine alone (--address looks at a cluster)"
    if facts.is_cluster:
        count = len(facts.nodes)
        where = f"{count} node{'' if count == 1 else 's'} of the cluster"
    lines = [f"Looked at {where}"]
    for problem in found.problems:
        host = f"{problem.host}: " if problem.host and facts.is_cluster else ""
        lines.append(
            f"{'FAILS' if problem.is_fatal else 'warns'}  {problem.check}: {host}{problem.text}"
        )
        lines.append(f"       remedy: {problem.remedy}")
    wrong = {problem.check for problem in found.problems}
    seen = looked_at(facts)
    fine = [name for name in CHECKS if name in seen and name not in wrong]
    if fine:
        lines.append(f"fine   {', '.join(fine)}")
    unseen = [name for name in CHECKS if name not in seen]
    if unseen:
        lines.append(f"       not looked at: {', '.join(unseen)}")
    return lines
