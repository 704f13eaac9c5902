"""What a config may bring along only if it is allowed: custom classes, and where numbers go."""

from __future__ import annotations

import importlib
import json
import os
import sysconfig
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from raymon.errors import ConfigError, reason
from raymon.protos.monitor_pb2 import MonitorConfig

ALLOWED_BY = "RAYMON_ALLOW_CUSTOM_CLASSES"
"""Environment variable that allows custom classes when it is 1."""

_SENDS = "is where a config sends numbers to"

_RAYMON = str(Path(__file__).parents[1])

_allowed = False


def allow_custom_classes() -> None:
    """Lets configs name custom classes in this process, which imports and runs their code.

    Without it a config from somebody else runs no code but raymon's.
    """
    global _allowed
    _allowed = True


def custom_classes_allowed() -> bool:
    """Returns whether configs may name custom classes."""
    return _allowed or os.environ.get(ALLOWED_BY) == "1"


def import_class(class_path: str, place: str) -> type:
    """Returns the class that `"package.module:Class"` names.

    Args:
        class_path: Name of the class, as it was given.
        place: Path of the field, for messages.

    Raises:
        ConfigError: It is no such name, cannot be imported, or is not allowed.
    """
    place = f'{place}: "{class_path}"'
    module_name, _, name = class_path.partition(":")
    if not module_name or not name:
        raise ConfigError(f'{place} is no class; write "package.module:Class"')
    _check_allowed(place, "is code that a config brings along")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(
            f"{place} cannot be imported: {error}; the module must be on the Python path"
        ) from error
    except (Exception, SystemExit) as error:  # the user's module may raise anything
        raise ConfigError(f"{place} cannot be imported: {reason_with_place(error)}") from error
    cls = getattr(module, name, None)
    if not isinstance(cls, type):
        raise ConfigError(f"{place}: {module_name} has no class {name}")
    return cls


def check_alert_hooks(config: MonitorConfig) -> None:
    """Checks that a config may run its program and send to its address for alerts.

    Raises:
        ConfigError: It may not.
    """
    if config.alert_command:
        place = f'monitor_config.alert_command: "{config.alert_command[0]}"'
        _check_allowed(place, "is a program that a config has run")
    if config.alert_webhook:
        # Of the address only the host: the rest may be a secret.
        place = f'monitor_config.alert_webhook: "{urlsplit(config.alert_webhook).hostname}"'
        _check_allowed(place, _SENDS)


def check_tracker_addresses(config: MonitorConfig) -> None:
    """Checks that a config may send numbers, and the tokens of trackers, to its addresses.

    Raises:
        ConfigError: It may not.
    """
    for index, tracker in enumerate(config.trackers):
        place = f"monitor_config.trackers[{index}]"
        uri = tracker.mlflow.tracking_uri
        if "://" in uri and not uri.startswith(("sqlite:", "file:")):
            place = f'{place}.mlflow.tracking_uri: "{urlsplit(uri).hostname}"'
            _check_allowed(place, f"{_SENDS}, unless MLFLOW_TRACKING_URI has it")
        elif tracker.trackio.server_url:
            host = urlsplit(tracker.trackio.server_url).hostname
            _check_allowed(f'{place}.trackio.server_url: "{host}"', _SENDS)
        elif tracker.trackio.space_id:
            _check_allowed(f'{place}.trackio.space_id: "{tracker.trackio.space_id}"', _SENDS)


def _check_allowed(place: str, what: str) -> None:
    if not custom_classes_allowed():
        raise ConfigError(
            f"{place} {what}; if you trust it, pass "
            f"--allow-custom-classes, set {ALLOWED_BY}=1, or call raymon.allow_custom_classes()"
        )


def reason_with_place(error: BaseException) -> str:
    """Returns what custom code raised, in one line, with the file and line where it did."""
    packages = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_RAYMON, "<", *packages))
        and "/site-packages/" not in frame.filename
    ]
    return f"{own[-1].filename}:{own[-1].lineno}: {reason(error)}" if own else reason(error)


def read_kwargs(kwargs: Mapping[str, str], place: str) -> dict[str, Any]:
    """Returns keyword arguments that are given as JSON.

    Args:
        kwargs: JSON of each argument, by name.
        place: Path of the block that has them, for messages.

    Raises:
        ConfigError: An argument is not JSON.
    """
    values = {}
    for key, value in kwargs.items():
        try:
            values[key] = json.loads(value)
        except json.JSONDecodeError:
            raise ConfigError(
                f"{place}.kwargs.{key}: {value!r} is not JSON; a string needs its quotes, "
                f"""value: '"text"'"""
            ) from None
    return values
