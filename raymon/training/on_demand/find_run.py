"""Finds the run that a person means."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pyarrow as pa

from raymon.config import CONFIG_FILE
from raymon.errors import RunError, first_line
from raymon.runs import RUN_FILE
from raymon.storage import StoragePath, absolute, storage_path


@dataclass(frozen=True)
class FoundRun:
    """A run, and how to reach it.

    Attributes:
        model_dir: Its directory.
        address: Address of the cluster that it is asked through; None to ask through its directory.
    """

    model_dir: StoragePath
    address: str | None


def find_run(run: str, address: str | None) -> FoundRun:
    """Returns the run that a person means.

    Args:
        run: Its directory, as in `model_dir`.
        address: Address of the cluster that it is on; None if it is not given. Without its
            directory on this machine, RAY_ADDRESS counts.

    Raises:
        RunError: There is no such run.
    """
    model_dir = absolute(storage_path(run))
    if address:
        return FoundRun(model_dir, address)
    try:
        if (model_dir / RUN_FILE).is_file():
            return FoundRun(model_dir, None)
        if (model_dir / CONFIG_FILE).is_file():
            raise RunError(f"{run}: has no {RUN_FILE}, which a run of this version has")
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{run}: cannot be read: {first_line(error)}") from None
    if os.environ.get("RAY_ADDRESS"):
        return FoundRun(model_dir, os.environ["RAY_ADDRESS"])
    raise RunError(
        f"{run}: not the directory of a run: it has no {RUN_FILE}; give its model_dir, or the "
        "--address of its cluster"
    )
