"""`raymon submit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import yaml
from click.core import ParameterSource

from raymon.cli.job_watch import JobWatch
from raymon.cli.options import (
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
from raymon.errors import ConfigError

_OF_LOGS = frozenset({"job_id", "address", "as_json"})
"""Parameters, beside --wait, that have a meaning for a job that was submitted earlier."""


@click.command()
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option(
    "--address",
    required=True,
    envvar="RAY_API_SERVER_ADDRESS",
    help="Dashboard of the cluster, as http://HEAD:8265; by default RAY_API_SERVER_ADDRESS.",
)
@click.option(
    "--wait/--detach",
    default=True,
    help="Show the lines of the run until it ends, and end with its exit code (default), or end "
    "once the cluster has accepted the job.",
)
@click.option("--no-follow", is_flag=True, hidden=True)
@click.option(
    "--logs",
    "job_id",
    metavar="JOB",
    help="In place of CONFIG: show the lines of a job that was submitted earlier, from its start, "
    "until it ends, and end with its exit code.",
)
@set_option
@num_workers_option
@custom_classes_option
@log_options
@resume_options
@click.option(
    "--working-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=".",
    help="Sent to the cluster, with your code and CONFIG; what git ignores is not. Default: here.",
)
@click.option(
    "--runtime-env",
    type=click.Path(path_type=Path),
    help="YAML file with more of Ray's runtime environment, such as pip or env_vars.",
)
@click.option("--python", default="python", help="Python on the cluster, with raymon.")
@board_option
@json_option
@click.pass_context
def submit(
    context: click.Context,
    config: Path | None,
    address: str,
    wait: bool,
    no_follow: bool,
    job_id: str | None,
    overrides: tuple[str, ...],
    num_workers: int | None,
    resume: bool,
    resume_if_any: bool,
    working_dir: Path,
    runtime_env: Path | None,
    python: str,
    board_port: int | None,
    as_json: bool,
) -> None:
    """Train the model that CONFIG describes as a job of a Ray cluster.

    The lines of the run are shown, and its exit code is that of this command: 0 done, 1 failed,
    2 wrong input, 130 stopped. The job goes on where this command ends before it: Ctrl-C asks
    whether to stop it, and where nobody can be asked it is left running.
    """
    from raymon.training.on_ray.submit import submit as send
    from raymon.training.on_ray.submit import submitted

    _check_asked_once(context, config, job_id)
    if job_id is not None:
        found = submitted(job_id, address)
        JobWatch(found, address, as_json=as_json, signals=context.obj).follow()
    assert config is not None
    from raymon.training.job_request import job_request
    from raymon.training.looking import how_to_look

    request = job_request(
        config,
        with_num_workers(overrides, num_workers),
        working_dir=working_dir,
        runtime_env=_read(runtime_env),
        resume=resume,
        resume_if_any=resume_if_any,
        python=python,
        board_port=board_port,
    )
    job = send(request, address)
    say(f"{job.submission_id}: submitted to {address}", err=as_json)
    for line in how_to_look(job.model_dir, address, board_port):
        say(line, err=as_json)
    watch = JobWatch(job, address, as_json=as_json, signals=context.obj)
    if wait and not no_follow:
        watch.follow()
    watch.leave()


def _check_asked_once(context: click.Context, config: Path | None, job_id: str | None) -> None:
    """Refuses a config beside a job, and options that have no effect on a job that there is."""
    if job_id is None:
        if config is None:
            raise click.UsageError("Missing CONFIG to train, or --logs JOB to follow.")
        return
    given = [
        parameter
        for parameter in context.command.params
        if parameter.name not in _OF_LOGS
        and not (parameter.name == "wait" and context.params["wait"])
        and context.get_parameter_source(parameter.name or "") == ParameterSource.COMMANDLINE
    ]
    if given:
        names = {"config": "CONFIG", "wait": "--detach"}
        name = names.get(given[0].name or "", given[0].opts[0])
        raise click.UsageError(f"--logs {job_id} is of a job that there is; leave out {name}.")


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        why = str(error).splitlines()[0]
        raise ConfigError(f"--runtime-env {path}: cannot be read: {why}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"--runtime-env {path}: is no mapping, such as pip: [...]")
    return content
