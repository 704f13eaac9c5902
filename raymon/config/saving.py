"""The config of a run, saved with the run."""

from __future__ import annotations

import os

from google.protobuf import text_format

from raymon.config.overrides import Overrides
from raymon.config.reading import load
from raymon.errors import RunError, os_reason
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.storage import ObjectPath, storage_path, write_whole
from raymon.version import __version__

CONFIG_FILE = "pipeline.config"
"""Name of the file with the config as it ran, in the directory of the run."""
VERSION_FILE = "version"
"""Name of the file with the version of raymon, in the directory of the run."""


def save(config: PipelineConfig, directory: str | os.PathLike[str] | ObjectPath) -> None:
    """Writes `pipeline.config` and `version` into a directory, which is made if it is missing.

    Fields that are not set stay so. Each file is written whole or not at all.

    Raises:
        RunError: The directory cannot be written.
    """
    run = storage_path(directory)
    text = text_format.MessageToString(config, as_utf8=True)
    try:
        write_whole(run / CONFIG_FILE, text.encode())
        write_whole(run / VERSION_FILE, (__version__ + "\n").encode())
    except OSError as error:
        raise RunError(
            f"{run}: cannot be written: {os_reason(error)}; choose another model_dir"
        ) from None


def read_saved(
    directory: str | os.PathLike[str] | ObjectPath, overrides: Overrides = ()
) -> PipelineConfig:
    """Returns the config of a run, as it ran, with overrides applied.

    Configs of runs on datasets need no paths of files.

    Raises:
        RunError: There is no run in the directory.
        ConfigError: Its config cannot be read, or an override is wrong.
    """
    run = storage_path(directory)
    path = run / CONFIG_FILE
    try:
        there = path.is_file()
    except OSError as error:
        raise RunError(f"{run}: cannot be read: {os_reason(error)}") from None
    if not there:
        raise RunError(f"{run}: has no {CONFIG_FILE}; give the model_dir of a run")
    return load(path, overrides, datasets=("train", "eval"), warned=True)
