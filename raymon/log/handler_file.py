"""Further handlers of log lines, from a JSON file in the form of `logging.config.dictConfig`."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from logging.config import DictConfigurator
from pathlib import Path
from typing import Any

from raymon.errors import ConfigError, first_line

HANDLERS = (
    "logging.NullHandler",
    "logging.StreamHandler",
    "logging.handlers.DatagramHandler",
    "logging.handlers.HTTPHandler",
    "logging.handlers.SMTPHandler",
    "logging.handlers.SocketHandler",
    "logging.handlers.SysLogHandler",
)
"""Classes that a file may name; others, and what is called in it, are code that it brings along.

Those that write files are none of them: with a format of its own a file of handlers could have any
line written into any file, such as one that a shell runs.
"""

FORMATTERS = ("logging.Formatter", "raymon.log.JsonFormatter")
"""Classes of formatters that a file may name."""

_ADDRESSES = ("address", "host", "mailhost")
"""Arguments of handlers with the machine that gets lines; a list has the port behind it."""

_OWN_MACHINE = re.compile(r"/.*|(localhost|127(\.\d+){3}|\[?::1\]?)(:\d+)?")
"""Sockets in the file system, and addresses that never leave this machine."""

_STREAMS = ("ext://sys.stdout", "ext://sys.stderr")

_SECTIONS = ("version", "disable_existing_loggers", "formatters", "handlers", "loggers")


def handlers_of_file(path: Path, *, trusted: bool) -> list[tuple[str, logging.Handler]]:
    """Returns the handlers that a file has for the lines of raymon, by their names.

    They are those that the logger `raymon` of the file lists, or all where it has no loggers.

    Args:
        path: The file.
        trusted: Whether it may name any class and function, whose code is run.

    Raises:
        ConfigError: The file is no such file, names other classes, or a handler cannot be made.
    """
    content = check_handler_file(path, trusted=trusted)
    found = DictConfigurator(content)
    sections = found.config
    made: dict[str, logging.Handler] = {}
    for name, formatter in sections.get("formatters", {}).items():
        try:
            sections["formatters"][name] = found.configure_formatter(formatter)
        except Exception as error:  # whatever a constructor raises
            raise ConfigError(f"{path}: formatters.{name}: {_why(error)}") from None
    for name in _listed(content):
        try:
            made[name] = found.configure_handler(sections["handlers"][name])
        except Exception as error:
            raise ConfigError(f"{path}: handlers.{name}: {_why(error)}") from None
    return list(made.items())


def check_handler_file(path: Path, *, trusted: bool) -> dict[str, Any]:
    """Returns the content of a file of handlers; none is made.

    Args:
        path: The file.
        trusted: Whether it may name any class and function.

    Raises:
        ConfigError: The file is no such file, or names other classes.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {_why(error)}") from None
    if not isinstance(content, dict) or content.get("version") != 1:
        raise ConfigError(f'{path}: is no logging config; it begins with "version": 1')
    for section in content:
        if section not in _SECTIONS:
            raise ConfigError(f"{path}: {section}: not known; there are {', '.join(_SECTIONS)}")
    for section in ("formatters", "handlers", "loggers"):
        entries = content.get(section, {})
        if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
            raise ConfigError(f"{path}: {section}: is no object of objects by name")
    for name in content.get("loggers", {}):
        if name != "raymon":
            raise ConfigError(
                f"{path}: loggers.{name}: only lines of raymon go to these handlers; name raymon"
            )
    for name in _listed(content):
        if name not in content.get("handlers", {}):
            raise ConfigError(f"{path}: loggers.raymon.handlers: there is no handler {name}")
    if not trusted:
        _check_classes(path, content)
    return content


def _listed(content: Mapping[str, Any]) -> list[str]:
    logger = content.get("loggers", {}).get("raymon", {})
    return list(logger.get("handlers", content.get("handlers", {})))


def _check_classes(path: Path, content: Mapping[str, Any]) -> None:
    for section, known, default in (
        ("handlers", HANDLERS, None),
        ("formatters", FORMATTERS, FORMATTERS[0]),
    ):
        for name, entry in content.get(section, {}).items():
            given = entry.get("class", default)
            if given not in known:
                raise ConfigError(
                    f"{path}: {section}.{name}.class: {_quoted(given)} is none of "
                    f"{', '.join(known)}; if you trust the file, pass --allow-custom-classes"
                )
    for name, entry in content.get("handlers", {}).items():
        _check_addresses(f"{path}: handlers.{name}", entry)
    for place, key, value in _entries(content, ""):
        if key in ("()", "."):
            raise ConfigError(
                f'{path}: {place}: "{key}" calls or changes what the file names; if you trust it, '
                "pass --allow-custom-classes"
            )
        external = isinstance(value, str) and value.startswith("ext://")
        if external and value not in _STREAMS:
            raise ConfigError(
                f"{path}: {place}: {_quoted(value)} is none of {', '.join(_STREAMS)}; if you trust "
                "the file, pass --allow-custom-classes"
            )


def _check_addresses(place: str, handler: Mapping[str, Any]) -> None:
    """Refuses another machine, to which a stranger could have the lines of the run sent."""
    for key in _ADDRESSES:
        given = handler.get(key, "localhost")
        host = given[0] if isinstance(given, list) and given else given
        if not (isinstance(host, str) and _OWN_MACHINE.fullmatch(host)):
            raise ConfigError(
                f"{place}.{key}: {_quoted(host)} is another machine; if you trust the file, pass "
                "--allow-custom-classes"
            )


def _entries(value: Any, place: str) -> Iterator[tuple[str, str, Any]]:
    """Yields the place, the key and the value of everything in a JSON value."""
    if isinstance(value, dict):
        items: Iterator[tuple[str, Any]] = iter(value.items())
    elif isinstance(value, list):
        items = ((str(index), entry) for index, entry in enumerate(value))
    else:
        return
    for key, entry in items:
        inner = f"{place}.{key}" if place else key
        yield inner, key, entry
        yield from _entries(entry, inner)


def _quoted(value: Any) -> str:
    return "nothing" if value is None else f'"{value}"'


def _why(error: Exception) -> str:
    # The constructor's own error is what DictConfigurator wraps.
    return first_line(error.__cause__ if isinstance(error.__cause__, Exception) else error)
