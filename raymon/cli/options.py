"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from raymon.log import FORMATS, LEVELS, choose_format, choose_level, set_up_logging

Command = TypeVar("Command", bound=Callable[..., Any])

_EDITS = "raymon.edits"


def _keep_edits(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> None:
    if texts:
        # Imported here for the same reason as below.
        from raymon.config import overrides_of_json

        context.meta[_EDITS] = [each for text in texts for each in overrides_of_json(text)]


def _after_edits(
    context: click.Context, parameter: click.Parameter, overrides: tuple[str, ...]
) -> tuple[str, ...]:
    return (*context.meta.get(_EDITS, ()), *overrides)


_set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="FIELD=VALUE",
    callback=_after_edits,
    help="Override a field of the config: train_config.num_steps=100, "
    "feature_configs[0].id_feature.embedding_dim=8, "
    "train_config.tensorboard_summaries+=parameter. May be repeated.",
)

_edit_option = click.option(
    "--edit",
    multiple=True,
    metavar="JSON",
    expose_value=False,
    is_eager=True,
    callback=_keep_edits,
    help="Override several fields, before those of --set: "
    '\'{"train_config.num_steps": 100, '
    '"feature_configs[feature_name=x].id_feature.embedding_dim": 8}\'.',
)


def set_option(command: Command) -> Command:
    """Adds the options that override fields of a config; they come as `overrides`."""
    return _set_option(_edit_option(command))


num_workers_option = click.option(
    "--num-workers",
    type=click.IntRange(min=0),
    help="Worker processes; 0 runs in this process, without Ray.",
)

address_option = click.option(
    "--address",
    metavar="ADDRESS",
    help="Ray cluster to run on, such as 'auto'; by default RAY_ADDRESS, or Ray is started "
    "on this machine.",
)


def _allow(context: click.Context, parameter: click.Parameter, allowed: bool) -> None:
    if allowed:
        # Imported here, as it imports torch: --version and completion must not wait for that.
        from raymon.config import allow_custom_classes

        allow_custom_classes()


custom_classes_option = click.option(
    "--allow-custom-classes",
    is_flag=True,
    expose_value=False,
    callback=_allow,
    help="Let the config name models and metrics of your own, whose code is run.",
)


def _choose_level(context: click.Context, parameter: click.Parameter, level: str | None) -> None:
    if level is not None:
        choose_level(level)
        set_up_logging()


def _choose_format(context: click.Context, parameter: click.Parameter, form: str | None) -> None:
    if form is not None:
        choose_format(form)
        set_up_logging()


_level_option = click.option(
    "--log-level",
    type=click.Choice(LEVELS, case_sensitive=False),
    expose_value=False,
    callback=_choose_level,
    help="Lowest level of log lines; by default RAYMON_LOG_LEVEL, or that of the config.",
)

_format_option = click.option(
    "--log-format",
    type=click.Choice(FORMATS, case_sensitive=False),
    expose_value=False,
    callback=_choose_format,
    help="Log lines as text or JSON objects; by default RAYMON_LOG_FORMAT, or as in the config.",
)


def log_options(command: Command) -> Command:
    """Adds the options of log lines to a command."""
    return _level_option(_format_option(command))


_resume_option = click.option(
    "--resume", is_flag=True, help="Go on from the newest checkpoint in model_dir."
)

_resume_if_any_option = click.option(
    "--resume-if-any",
    is_flag=True,
    help="The same if there is one, and else begin: for what a scheduler starts again.",
)


def resume_options(command: Command) -> Command:
    """Adds the options of a run that goes on to a command."""
    return _resume_option(_resume_if_any_option(command))


board_option = click.option(
    "--board",
    "board_port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Show the run on a web page meanwhile, on this port of the machine that it begins on, "
    "which it is reached from alone.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def with_num_workers(overrides: tuple[str, ...], num_workers: int | None) -> list[str]:
    """Returns the overrides, with one for the number of workers if it is given."""
    if num_workers is None:
        return list(overrides)
    return [*overrides, f"ray_config.num_workers={num_workers}"]
