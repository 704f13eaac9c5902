"""The config of a run, kept with the run."""

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
VERSION_FILE = "version"


def save(config: PipelineConfig, directory: str | os.PathLike[str] | ObjectPath) -> None:
    """Writes `pipeline.config` and `version` into a directory, which is made where it is missing.

    Fields that are not set stay so. Each file is there whole or not at all.

    Raises:
        RunError: the directory cannot be written.
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
    """The config of a run, as it ran, with overrides applied. Runs on datasets have no
    paths of files.

    Raises:
        RunError: there is no run in the directory.
        ConfigError: its config cannot be read, or an override is wrong.
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
