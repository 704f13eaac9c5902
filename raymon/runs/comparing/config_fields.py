"""The fields of a config by their paths, and those in which configs differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import Message

from raymon.protos.pipeline_pb2 import PipelineConfig

_NAMES = ("feature_name", "group_name", "tower_name", "name")
"""Fields that name a message in a list of them."""

_NO_SETTING = frozenset({"model_dir"})
"""Fields that say where a run is, not how it is."""


@dataclass(frozen=True)
class FieldDifference:
    """A field in which configs differ.

    Attributes:
        field: Its path, as in `train_config.dense_optimizer.adam_optimizer.lr`, or, in a list of
            messages, `feature_configs[item_id].id_feature.embedding_dim`.
        values: Its value in each config, as text; None where it is not there.
    """

    field: str
    values: tuple[str | None, ...]


@dataclass
class ConfigFields:
    """The fields of a config.

    Attributes:
        values: Values of the fields that are set, by path.
        defaults: Defaults of fields of messages that are there, by path.
        is_whole: Whether all fields of the text are known to this version.
    """

    values: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    is_whole: bool = True


def fields_of(text: str | None) -> ConfigFields:
    """Returns the fields of a config; those of a newer version that it does not know are left out.

    Args:
        text: The config as protobuf text; None if there is none.
    """
    found = ConfigFields()
    if text is None:
        return found
    config = PipelineConfig()
    try:
        text_format.Parse(text, config)
    except (text_format.ParseError, ValueError):
        found.is_whole = False
        config = PipelineConfig()
        try:
            text_format.Parse(text, config, allow_unknown_field=True)
        except (text_format.ParseError, ValueError):
            return found
    _flatten(config, "", found)
    return found


def field_differences(
    configs: Sequence[ConfigFields], *, everything: bool = False
) -> list[FieldDifference]:
    """Returns the fields in which configs differ, in the order of the configs.

    A field that is not set has its default, where the message that it belongs to is there.

    Args:
        configs: The configs.
        everything: Whether fields that are set and are the same are there too.
    """
    paths = dict.fromkeys(path for config in configs for path in config.values)
    found = []
    for path in paths:
        values = tuple(c.values.get(path, c.defaults.get(path)) for c in configs)
        if (everything or len(set(values)) > 1) and path not in _NO_SETTING:
            found.append(FieldDifference(path, values))
    return found


def _flatten(message: Message, prefix: str, found: ConfigFields) -> None:
    for descriptor in message.DESCRIPTOR.fields:
        path = f"{prefix}{descriptor.name}"
        if descriptor.is_repeated:
            values = list(getattr(message, descriptor.name))
            if not values:
                continue
            if descriptor.message_type is None:
                texts = [_text(descriptor, value) for value in values]
                found.values[path] = f"[{', '.join(texts)}]"
            else:
                for name, value in zip(_names(values), values, strict=True):
                    _flatten(value, f"{path}[{name}].", found)
        elif not message.HasField(descriptor.name):
            if descriptor.has_default_value:
                found.defaults[path] = _text(descriptor, descriptor.default_value)
        elif descriptor.message_type is None:
            found.values[path] = _text(descriptor, getattr(message, descriptor.name))
        else:
            inner = getattr(message, descriptor.name)
            if not inner.ListFields() and descriptor.containing_oneof is not None:
                # Which one it is says something, also with nothing in it.
                found.values[path] = "{}"
            _flatten(inner, f"{path}.", found)


def _text(descriptor: Any, value: Any) -> str:
    if descriptor.enum_type is not None:
        known = descriptor.enum_type.values_by_number.get(value)
        return known.name if known is not None else str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and descriptor.type == descriptor.TYPE_FLOAT:
        # As few digits as name the same float32, as protobuf text has it.
        return f"{float(f'{value:.7g}'):g}" if value == value else "nan"
    return str(value)


def _names(messages: Sequence[Message]) -> list[str]:
    """Returns a name for each message of a list, no two alike."""
    plain = [_name(message) or str(place) for place, message in enumerate(messages)]
    counts: dict[str, int] = {}
    names = []
    for name in plain:
        counts[name] = counts.get(name, 0) + 1
        names.append(name if counts[name] == 1 else f"{name}#{counts[name]}")
    return names


def _name(message: Message) -> str | None:
    known = message.DESCRIPTOR.fields_by_name
    for name in _NAMES:
        if name in known and not known[name].is_repeated and message.HasField(name):
            return str(getattr(message, name))
    # A message that wraps one of several kinds has the name of what is in it, or of the kind.
    chosen = [each for each, _ in message.ListFields() if each.containing_oneof is not None]
    if len(chosen) != 1 or chosen[0].message_type is None:
        return None
    return _name(getattr(message, chosen[0].name)) or str(chosen[0].name)
