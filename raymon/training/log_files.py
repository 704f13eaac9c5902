"""The log files of a run and its further handlers of log lines, as its config has them."""

from __future__ import annotations

from pathlib import Path

from raymon.config import custom_classes_allowed
from raymon.errors import ConfigError
from raymon.log import (
    LogFiles,
    ProcessLog,
    check_handler_file,
    file_level,
    handlers_of_file,
    level_of,
)
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.storage import absolute, storage_path

DIRECTORY = "logs"
"""Directory of the log files, in that of the run."""

_HOUR_S = 3600.0
_MB = 1_000_000


def log_files_of(config: PipelineConfig) -> LogFiles | None:
    """Returns the log files of a run; None if it has none.

    On object storage objects cannot grow, so there are none unless `log_files.directory` is given.
    """
    files, model_dir = config.monitor_config.log_files, storage_path(config.model_dir)
    directory = Path(files.directory) if files.directory else model_dir / DIRECTORY
    if not files.enabled or not isinstance(directory, Path):
        return None
    return LogFiles(
        Path(str(absolute(directory))),
        config.model_dir,
        file_level(level_of(config.monitor_config.log_level)),
        files.format,
        files.max_mb * _MB,
        files.max_hours * _HOUR_S,
        files.keep,
    )


def check_logging_config(config: PipelineConfig) -> None:
    """Checks the file of `logging_config_path`, if there is one.

    Raises:
        ConfigError: It is no such file, or names classes that are not allowed.
    """
    path = config.monitor_config.logging_config_path
    if path:
        try:
            check_handler_file(Path(path), trusted=custom_classes_allowed())
        except ConfigError as error:
            raise ConfigError(f"monitor_config.logging_config_path: {error}") from None


def driver_log(config: PipelineConfig) -> ProcessLog:
    """Returns the log of the driver: its file, and the handlers of `logging_config_path`.

    Raises:
        ConfigError: A handler cannot be made.
    """
    path = config.monitor_config.logging_config_path
    more = handlers_of_file(Path(path), trusted=custom_classes_allowed()) if path else []
    return ProcessLog("driver", log_files_of(config), more)


def fix_log_level(config: PipelineConfig) -> None:
    """Writes the level of this process into a config, for the other processes of the run."""
    level = level_of(config.monitor_config.log_level)
    if level != config.monitor_config.log_level:
        config.monitor_config.log_level = level
