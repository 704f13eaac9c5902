"""The attributes of who sends: a run, where it writes to, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from raymon.errors import ConfigError
from raymon.sinks.prometheus.run_gauges import run_label, shown_place
from raymon.version import __version__

_ATTRIBUTES, _SERVICE = "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"


def attributes_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the attributes that the environment gives.

    Args:
        environment: Environment variables.

    Raises:
        ConfigError: A variable is wrong.
    """
    found = {}
    entries = environment.get(_ATTRIBUTES, "").split(",")
    for number, entry in enumerate(filter(None, map(str.strip, entries)), 1):
        key, equals, value = entry.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{_ATTRIBUTES}: entry {number} is no key=value")
        found[unquote(key.strip())] = unquote(value.strip())
    if environment.get(_SERVICE):
        found["service.name"] = environment[_SERVICE]
    return found


def resource_of(run: str | None, given: Mapping[str, str]) -> dict[str, str]:
    """Returns the attributes of the resource that all metrics and spans of a run belong to.

    Args:
        run: Directory or URI that the run writes to; None if there is none.
        given: Attributes of the user's, which go before others of the same name.
    """
    found = {"service.name": "raymon", "raymon.version": __version__}
    if run is not None:
        found |= {"service.instance.id": run_label(run), "raymon.model_dir": shown_place(run)}
    return {**found, **given}
