"""Checks of log lines, log files and what is kept of the past, in a config."""

from __future__ import annotations

from raymon.config.rules import Rules
from raymon.log import FORMATS, LEVELS


def validate_logging(rules: Rules) -> None:
    """Checks the fields of `monitor_config` that are about logs.

    Raises:
        ConfigError: Something is wrong.
    """
    rules.one_of("log_level", LEVELS)
    rules.one_of("log_format", FORMATS)
    rules.positive("windows_max_mb", "events_max_mb")
    files = rules.inner("log_files")
    files.one_of("format", FORMATS)
    files.positive("max_mb", "max_hours", "keep")
    for name in ("directory", "format", "max_mb", "max_hours", "keep"):
        files.warn(files.has(name) and not files.value("enabled"), name, "enabled is false")
    directory = files.value("directory")
    files.require(
        "://" not in directory,
        "directory",
        f'is "{directory}"; must be a directory on a disk, as files of object storage cannot grow',
    )
