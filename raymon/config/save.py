"""The config of a run, kept with the run."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path

from google.protobuf import text_format

from raymon.config.load import load
from raymon.config.overrides import Overrides
from raymon.errors import RunError
from raymon.protos.pipeline_pb2 import PipelineConfig

CONFIG_FILE = "pipeline.config"
VERSION_FILE = "version"


def save(config: PipelineConfig, directory: str | os.PathLike[str]) -> None:
    """Writes `pipeline.config` and `version` into a directory, which is made where it is missing.

    Fields that are not set stay so. Each file is there whole or not at all.

    Raises:
        RunError: the directory cannot be written.
    """
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
        text = text_format.MessageToString(config, as_utf8=True)
        _write(Path(directory, CONFIG_FILE), text)
        _write(Path(directory, VERSION_FILE), version("raymon") + "\n")
    except OSError as error:
        raise RunError(
            f"{os.fspath(directory)}: cannot be written: {error.strerror}; choose another model_dir"
        ) from None


def read_saved(directory: str | os.PathLike[str], overrides: Overrides = ()) -> PipelineConfig:
    """The config of a run, as it ran, with overrides applied. Runs on datasets have no
    paths of files.

    Raises:
        RunError: there is no run in the directory.
        ConfigError: its config cannot be read, or an override is wrong.
    """
    path = Path(directory, CONFIG_FILE)
    if not path.is_file():
        raise RunError(f"{os.fspath(directory)}: has no {CONFIG_FILE}; give the model_dir of a run")
    return load(path, overrides, datasets=("train", "eval"))


def _write(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes a file for its owner alone; a run is read by others too.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
