"""Overrides as JSON, as by `--edit '{"train_config.num_steps": 5}'`.

Each entry is an override: the key is that of `--set`, the value is in JSON. Several keys with ";"
between them have as many values between ";", in one string. null clears a field; an object sets a
block of which nothing else stays, a list replaces a list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from raymon.errors import ConfigError


def overrides_of_json(text: str) -> list[str]:
    """Returns the overrides `KEY=VALUE` that a JSON object stands for.

    Raises:
        ConfigError: The text is no JSON object.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"--edit {text}: is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise ConfigError(f'--edit {text}: is no JSON object; write {{"FIELD": VALUE, ...}}')
    return [f"{key}={value}" for key, value in in_texts(given, "--edit")]


def in_texts(values: Mapping[str, object], place: str) -> Iterator[tuple[str, str]]:
    """Yields keys and values of overrides, as texts of `--set`.

    Args:
        values: Values by key; those of blocks may be mappings, those of lists may be lists.
        place: Place of them, for errors.
    """
    for key, value in values.items():
        yield from _several(key, value, place) if ";" in key else _one(key, value)


def _several(key: str, value: object, place: str) -> Iterator[tuple[str, str]]:
    keys = [each.strip() for each in key.split(";")]
    texts = [each.strip() for each in str(value).split(";")]
    if len(keys) != len(texts):
        raise ConfigError(
            f"{place} {key}: names {len(keys)} fields and has {len(texts)} values; give as many"
        )
    yield from zip(keys, texts, strict=True)


def _one(key: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield key, "{}"
        for name, inner in value.items():
            yield from _one(f"{key}.{name}", inner)
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        yield key, ""
        for item in value:
            yield f"{key}+", "{}"
            if isinstance(item, Mapping):
                for name, inner in item.items():
                    yield from _one(f"{key}[-1].{name}", inner)
    else:
        yield key, _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        items = (quoted(item) if isinstance(item, str) else _text(item) for item in value)
        return f"[{', '.join(items)}]"
    if isinstance(value, str) and (not value or value != value.strip() or value[0] in "\"'"):
        return quoted(value)
    return str(value)


def quoted(text: str) -> str:
    """Returns a text as a string of a config."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
