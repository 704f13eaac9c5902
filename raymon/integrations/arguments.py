"""The arguments that a callback hands on to its `raymon.Monitor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, TypedDict

from raymon.errors import UserError
from raymon.sinks import Sink
from raymon.storage import ObjectPath


class MonitorArguments(TypedDict, total=False):
    """Keyword arguments of a callback that are those of `raymon.Monitor`, where they are described.

    What the library knows by itself, the total number of steps and the step that a run is resumed
    from, need not be given.
    """

    model_dir: str | PathLike[str] | ObjectPath | None
    total_steps: int | None
    log_step_count_steps: int
    use_tensorboard: bool
    name: str | None
    first_step: int | None
    sinks: Sequence[Sink]


def check_arguments(callback: str, arguments: Mapping[str, Any]) -> None:
    """Refuses an argument that no monitor takes.

    Args:
        callback: Name of the callback that was given the arguments.
        arguments: The arguments.

    Raises:
        UserError: A name is unknown.
    """
    known = MonitorArguments.__annotations__
    for name in arguments:
        if name not in known:
            raise UserError(f"{callback}: no argument {name}; there are {', '.join(known)}")
