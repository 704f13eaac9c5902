"""`raymon submit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from raymon.cli.options import (
    board_option,
    custom_classes_option,
    log_options,
    num_workers_option,
    set_option,
    with_num_workers,
)
from raymon.cli.signals import Signals
from raymon.errors import ConfigError

if TYPE_CHECKING:
    from raymon.training.on_ray.submit import SubmittedJob


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--address",
    required=True,
    envvar="RAY_API_SERVER_ADDRESS",
    help="Dashboard of the cluster, as http://HEAD:8265; by default RAY_API_SERVER_ADDRESS.",
)
@set_option
@num_workers_option
@custom_classes_option
@log_options
@click.option("--resume", is_flag=True, help="Go on from the newest checkpoint in model_dir.")
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
@click.option("--no-follow", is_flag=True, help="Do not wait for the run.")
@click.pass_obj
def submit(
    signals: Signals | None,
    config: Path,
    address: str,
    overrides: tuple[str, ...],
    num_workers: int | None,
    resume: bool,
    working_dir: Path,
    runtime_env: Path | None,
    python: str,
    board_port: int | None,
    no_follow: bool,
) -> None:
    """Train the model that CONFIG describes as a job of a Ray cluster.

    The log of the run is shown, and its exit code is that of this command. The job goes on where
    this command ends before it.
    """
    from raymon.training.job_request import job_request
    from raymon.training.looking import how_to_look
    from raymon.training.on_ray.submit import submit as send

    request = job_request(
        config,
        with_num_workers(overrides, num_workers),
        working_dir=working_dir,
        runtime_env=_read(runtime_env),
        resume=resume,
        python=python,
        board_port=board_port,
    )
    job = send(request, address)
    click.echo(f"{job.submission_id}: submitted to {address}")
    for line in how_to_look(request.metadata["model_dir"], address, board_port):
        click.echo(line)
    if no_follow:
        _print_job_commands(job, address)
        return
    while True:
        try:
            sys.exit(job.follow(lambda text: click.echo(text, nl=False)))
        except KeyboardInterrupt:
            if signals is not None:
                signals.forget()
            if _asks_to_stop(job, address):
                job.stop()
                click.echo(f"{job.submission_id}: stopping", err=True)


def _asks_to_stop(job: SubmittedJob, address: str) -> bool:
    """Asks whether to stop the run; exits if the run should continue alone."""
    choice = "leave"
    if sys.stdin.isatty():
        choice = click.prompt(
            "\nStop the run, leave it running, or go on watching",
            type=click.Choice(["stop", "leave", "watch"]),
            default="leave",
            err=True,
        )
    if choice == "leave":
        _print_job_commands(job, address)
        sys.exit(0)
    return bool(choice == "stop")


def _print_job_commands(job: SubmittedJob, address: str) -> None:
    click.echo(f"{job.submission_id} goes on. To watch or to stop it:", err=True)
    for command in ("logs --follow", "stop"):
        line = f"RAY_AUTH_MODE=token ray job {command} --address {address} {job.submission_id}"
        click.echo(f"  {line}", err=True)


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
