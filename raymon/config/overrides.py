r"""Overrides: fields of a config set from outside, as by `--set train_config.num_steps=100`.

`KEY=VALUE` sets a field, `KEY+=VALUE` or `KEY[+]=VALUE` appends to a list, `KEY=` clears a field
or removes an item. Dots separate the parts of a key; an item of a list is `[0]` or `.0`, one of a
map is `.NAME`. A message is given as text, `train_config.grad_clipping={clipping_type: "norm"}`; a
list as `[64, 32]`, or as its only value. A string is taken as it is, or in quotes as in a config,
`"a\tb"`. Of two fields that exclude each other, such as `num_steps` and `num_epochs`, an override
of one clears the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from google.protobuf import text_encoding
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from raymon.config.scalars import is_text, parse_scalar
from raymon.config.source import Source
from raymon.config.text import parse_text
from raymon.config.unknown_names import describe_unknown
from raymon.errors import ConfigError

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')

EXCLUSIVE = (
    ("train_config.num_steps", "train_config.num_epochs"),
    ("train_config.save_checkpoints_steps", "train_config.save_checkpoints_epochs"),
)
"""Pairs of fields of which a config has at most one."""

Overrides = Mapping[str, object] | Sequence[str]


def apply_overrides(config: Message, overrides: Overrides, source: Source) -> None:
    """Sets fields of a config in the order given, and records them in its source.

    Raises:
        ConfigError: An override cannot be read, or its field or value is not known. The place in
            the message is `--set KEY=VALUE`.
    """
    for key, value in _pairs(overrides):
        _Override(key, value).apply(config, source)
    for pair in EXCLUSIVE:
        given = [path for path in pair if path in source.overrides]
        if len(given) == 1 and source.overrides[given[0]].partition("=")[2]:
            other = pair[1 - pair.index(given[0])]
            block, _, name = other.partition(".")
            getattr(config, block).ClearField(name)


def _pairs(overrides: Overrides) -> Iterator[tuple[str, str]]:
    if isinstance(overrides, Mapping):
        for key, value in overrides.items():
            yield key, _text(value)
        return
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise ConfigError(f"--set {override}: has no value; write KEY=VALUE")
        # A single character is kept, since a delimiter may be a tab or a blank.
        yield key.strip(), value if len(value) == 1 else value.strip()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        items = (_quoted(item) if isinstance(item, str) else _text(item) for item in value)
        return f"[{', '.join(items)}]"
    return str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _unquoted(text: str) -> str:
    """Returns the string that a config means by a text in quotes; a text without is kept."""
    if _STRING.fullmatch(text) is None:
        return text
    try:
        return str(text_encoding.CUnescape(text[1:-1]).decode())
    except ValueError:
        raise ValueError(f"is {text}, which is no string") from None


class _Override:
    def __init__(self, key: str, value: str) -> None:
        self._given = f"{key}={value}"
        if not is_text(self._given):
            raise ConfigError(f"--set {self._given}: is not text in UTF-8; no field can have it")
        self._value = value
        self._append = key.endswith(("+", "[+]"))
        name = key.removesuffix("[+]").removesuffix("+")
        # "a[0].b" and "a.0.b" are the same.
        self._names = re.sub(r"\[(\w+)\]", r".\1", name).split(".")

    def apply(self, config: Message, source: Source) -> None:
        path = self._set(config, self._names, "")
        # A later override of a block replaces earlier ones of its fields.
        for inner in [p for p in source.overrides if p.startswith((f"{path}.", f"{path}["))]:
            del source.overrides[inner]
        # Fields that it replaces do not come from the file any more.
        for inner in [p for p in source.lines if p.startswith((f"{path}.", f"{path}["))]:
            del source.lines[inner]
        source.overrides[path] = self._given

    def _set(self, message: Message, names: list[str], path: str) -> str:
        name, rest = names[0], names[1:]
        field = cast(FieldDescriptor | None, message.DESCRIPTOR.fields_by_name.get(name))
        path = f"{path}.{name}" if path else name
        if field is None:
            known = message.DESCRIPTOR.fields_by_name
            what = describe_unknown(name, known, "field", message.DESCRIPTOR.name)
            raise self._error(path, what)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return self._set_entry(getattr(message, name), field, ".".join(rest), path)
        if field.is_repeated:
            return self._set_items(message, field, rest, path)
        if rest:
            if field.message_type is None:
                raise self._error(path, f"has no fields, so no {'.'.join(rest)}; set it itself")
            inner = getattr(message, name)
            path = self._set(inner, rest, path)
            # A block is present once it is named, even if a field of it was only cleared.
            inner.SetInParent()
            return path
        if self._append:
            raise self._error(path, "is no list; write = in place of +=")
        message.ClearField(name)
        if self._value == "":
            return path
        if field.message_type is not None:
            getattr(message, name).SetInParent()
            self._parse(getattr(message, name), path)
        else:
            setattr(message, name, self._scalar(field, path))
        return path

    def _set_entry(self, entries: Any, field: FieldDescriptor, key: str, path: str) -> str:
        if not key:
            raise self._error(path, f"is a map; write {path}.KEY=VALUE")
        path = f"{path}.{key}"
        if self._value == "":
            entries.pop(key, None)
        else:
            values = cast(Descriptor, field.message_type).fields_by_name["value"]
            entries[key] = self._scalar(values, path)
        return path

    def _set_items(
        self, message: Message, field: FieldDescriptor, rest: list[str], path: str
    ) -> str:
        items = getattr(message, field.name)
        if not rest:
            if not self._append:
                del items[:]
            if self._value.startswith("["):
                parse_text(
                    f"{field.name}: {self._value}",
                    message,
                    lambda line: f"--set {self._given}",
                    path.rpartition(".")[0],
                )
            elif self._value:
                self._add(items, field, path)
            return f"{path}[{len(items) - 1}]" if self._append and len(items) else path
        index = int(rest[0]) if rest[0].isdecimal() else -1
        if not 0 <= index < len(items):
            there = f"has items 0 to {len(items) - 1}" if items else "is empty"
            raise self._error(path, f"has no item {rest[0]}; it {there}, and += appends")
        path = f"{path}[{index}]"
        if rest[1:]:
            if field.message_type is None:
                raise self._error(path, f"has no fields, so no {'.'.join(rest[1:])}")
            return self._set(items[index], rest[1:], path)
        if self._value == "":
            del items[index]
        elif field.message_type is None:
            items[index] = self._scalar(field, path)
        else:
            items[index].Clear()
            self._parse(items[index], path)
        return path

    def _add(self, items: Any, field: FieldDescriptor, path: str) -> None:
        if field.message_type is None:
            items.append(self._scalar(field, path))
        else:
            self._parse(items.add(), path)

    def _parse(self, message: Message, path: str) -> None:
        text = self._value
        if text.startswith("{") and text.endswith("}"):
            text = text[1:-1]
        parse_text(text, message, lambda line: f"--set {self._given}", path)

    def _scalar(self, field: FieldDescriptor, path: str) -> Any:
        try:
            return parse_scalar(field, _unquoted(self._value))
        except ValueError as error:
            raise self._error(path, str(error)) from None

    def _error(self, path: str, message: str) -> ConfigError:
        return ConfigError(f"--set {self._given}: {path}: {message}")
