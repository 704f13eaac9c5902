"""The level and the format of log lines, from command line, environment and config."""

from __future__ import annotations

import logging
import os

from raymon.errors import ConfigError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
"""Log levels by their names."""
FORMATS = ("text", "json")
"""Formats of log lines."""

LEVEL_VARIABLE = "RAYMON_LOG_LEVEL"
"""Environment variable with the log level, which takes precedence over the config."""
FORMAT_VARIABLE = "RAYMON_LOG_FORMAT"
"""Environment variable with the format, which takes precedence over the config."""

_chosen: dict[str, str] = {}
"""What the command line says, by the variable of the environment that it precedes."""


def choose_level(level: str | None) -> None:
    """Sets the level of the command line, which takes precedence; None takes it back."""
    _choose(LEVEL_VARIABLE, level)


def choose_format(log_format: str | None) -> None:
    """Sets the format of the command line, which takes precedence; None takes it back."""
    _choose(FORMAT_VARIABLE, log_format)


def level_of(configured: str) -> str:
    """Returns the level of the run: that of the command line, the environment, or the config.

    Raises:
        ConfigError: The environment has one that is not known.
    """
    return _first(LEVEL_VARIABLE, LEVELS, configured)


def format_of(configured: str) -> str:
    """Returns the format of the run: that of the command line, the environment, or the config.

    Raises:
        ConfigError: The environment has one that is not known.
    """
    return _first(FORMAT_VARIABLE, FORMATS, configured)


def chosen_options() -> list[str]:
    """Returns the options of the command line that were given, for another command."""
    names = {LEVEL_VARIABLE: "--log-level", FORMAT_VARIABLE: "--log-format"}
    return [word for variable, value in _chosen.items() for word in (names[variable], value)]


def is_level_given() -> bool:
    """Returns whether the command line or the environment says the level."""
    return LEVEL_VARIABLE in _chosen or LEVEL_VARIABLE in os.environ


def file_level(level: str) -> int:
    """Returns the level of log files: that of the run, and INFO at least."""
    return min(logging.getLevelNamesMapping()[level], logging.INFO)


def _choose(variable: str, value: str | None) -> None:
    if value is None:
        _chosen.pop(variable, None)
    else:
        _chosen[variable] = value


def _first(variable: str, known: tuple[str, ...], configured: str) -> str:
    if variable in _chosen:
        return _chosen[variable]
    value = os.environ.get(variable, configured)
    if value not in known:
        raise ConfigError(f"{variable}={value}: not known; use one of {', '.join(known)}")
    return value
