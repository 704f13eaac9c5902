r"""Overrides: fields of a config set from outside, as by `--set train_config.num_steps=100`.

`KEY=VALUE` sets a field, `KEY+=VALUE` or `KEY[+]=VALUE` appends to a list, `KEY=` clears a field
or removes an item. Dots separate the parts of a key; an item of a list is `[0]` or `.0`, several
are `[1:3]`, `[:]` or `[feature_name=x]` (see `raymon.config.keys`), one of a map is `.NAME`. A
message is given as text, `train_config.grad_clipping={clipping_type: "norm"}`; a list as
`[64, 32]`, or as its only value. A string is taken as it is, or in quotes as in a config, `"a\tb"`.
Of two fields that exclude each other, such as `num_steps` and `num_epochs`, an override of one
clears the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from google.protobuf import text_encoding
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from raymon.config.edits import in_texts
from raymon.config.keys import parts_of, selected, split_override
from raymon.config.known_names import known_fields
from raymon.config.refusals import refused_items
from raymon.config.scalars import is_text, parse_scalar
from raymon.config.source import Source
from raymon.config.text import parse_text
from raymon.config.unknown_names import not_yet, unknown_field
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
        _Override(key, value, source).apply(config)
    for pair in EXCLUSIVE:
        given = [path for path in pair if path in source.overrides]
        if len(given) == 1:
            block, _, name = given[0].partition(".")
            _, _, other = pair[1 - pair.index(given[0])].partition(".")
            if getattr(config, block).HasField(name):
                getattr(config, block).ClearField(other)


def _pairs(overrides: Overrides) -> Iterator[tuple[str, str]]:
    if isinstance(overrides, Mapping):
        yield from in_texts(overrides, "--set")
        return
    for override in overrides:
        key, value = split_override(override)
        if value is None:
            raise ConfigError(f"--set {override}: has no value; write KEY=VALUE")
        # A single character is kept, since a delimiter may be a tab or a blank.
        yield key.strip(), value if len(value) == 1 else value.strip()


def _unquoted(text: str) -> str:
    """Returns the string that a config means by a text in quotes; a text without is kept."""
    if _STRING.fullmatch(text) is None:
        return text
    try:
        return str(text_encoding.CUnescape(text[1:-1]).decode())
    except ValueError:
        raise ValueError(f"is {text}, which is no string") from None


class _Override:
    def __init__(self, key: str, value: str, source: Source) -> None:
        self._given = f"--set {key}={value}"
        if not is_text(self._given):
            raise ConfigError(f"{self._given}: is not text in UTF-8; no field can have it")
        self._value = value
        self._source = source
        self._append = key.endswith(("+", "[+]"))
        self._names = parts_of(key.removesuffix("[+]").removesuffix("+"))
        if not self._names:
            raise ConfigError(f"{self._given}: names no field; write FIELD=VALUE")
        # Members of oneofs on the way: path of the block, and name of the oneof.
        self._chosen: list[tuple[str, str]] = []

    def apply(self, config: Message) -> None:
        for path in self._set(config, self._names, ""):
            self._source.record(path, self._given, self._chosen)

    def _set(self, message: Message, names: list[str], path: str) -> list[str]:
        """Sets what a key means; returns the paths of it."""
        name, rest = names[0], names[1:]
        field = cast(FieldDescriptor | None, message.DESCRIPTOR.fields_by_name.get(name))
        block, path = path, f"{path}.{name}" if path else name
        if field is None:
            return self._clear_unknown(cast(Descriptor, message.DESCRIPTOR), name, rest, path)
        if field.containing_oneof is not None and self._value != "":
            self._chosen.append((block, field.containing_oneof.name))
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return [self._set_entry(getattr(message, name), field, ".".join(rest), path)]
        if field.is_repeated:
            return self._set_items(message, field, rest, path)
        if rest:
            if field.message_type is None:
                raise self._error(path, f"has no fields, so no {'.'.join(rest)}; set it itself")
            inner = getattr(message, name)
            paths = self._set(inner, rest, path)
            # A block is present once it is named, even if a field of it was only cleared.
            inner.SetInParent()
            return paths
        if self._append:
            raise self._error(path, "is no list; write = in place of +=")
        message.ClearField(name)
        if self._value == "":
            return [path]
        if field.message_type is not None:
            getattr(message, name).SetInParent()
            self._parse(getattr(message, name), path)
        else:
            setattr(message, name, self._scalar(field, path))
        return [path]

    def _clear_unknown(self, block: Descriptor, name: str, rest: list[str], path: str) -> list[str]:
        """Clears a field that raymon does not have yet; anything else is an error."""
        if name in known_fields(block.name) and not rest and self._value == "":
            return [path]
        had = block.fields_by_name
        raise self._error(
            path, not_yet(block.name, name, had) or unknown_field(block.name, name, had)
        )

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
    ) -> list[str]:
        items = getattr(message, field.name)
        if not rest:
            if not self._append:
                del items[:]
            if self._value.startswith("["):
                parse_text(
                    f"{field.name}: {self._value}",
                    message,
                    lambda line: self._given,
                    path.rpartition(".")[0],
                )
            elif self._value:
                self._add(items, field, path)
            return [f"{path}[{len(items) - 1}]" if self._append and len(items) else path]
        try:
            refused = refused_items(self._source.refusals, path)
            indices = selected(items, field, rest[0], rest[1:], refused)
        except ValueError as error:
            raise self._error(path, str(error)) from None
        if not rest[1:] and self._value == "":
            for index in reversed(indices):
                del items[index]
                self._source.remove_item(path, index)
            return []
        return [
            found
            for index in indices
            for found in self._set_item(items, field, index, rest[1:], f"{path}[{index}]")
        ]

    def _set_item(
        self, items: Any, field: FieldDescriptor, index: int, rest: list[str], path: str
    ) -> list[str]:
        if rest:
            if field.message_type is None:
                raise self._error(path, f"has no fields, so no {'.'.join(rest)}")
            return self._set(items[index], rest, path)
        if field.message_type is None:
            items[index] = self._scalar(field, path)
        else:
            items[index].Clear()
            self._parse(items[index], path)
        return [path]

    def _add(self, items: Any, field: FieldDescriptor, path: str) -> None:
        if field.message_type is None:
            items.append(self._scalar(field, path))
        else:
            self._parse(items.add(), path)

    def _parse(self, message: Message, path: str) -> None:
        text = self._value
        if text.startswith("{") and text.endswith("}"):
            text = text[1:-1]
        parse_text(text, message, lambda line: self._given, path)

    def _scalar(self, field: FieldDescriptor, path: str) -> Any:
        try:
            return parse_scalar(field, _unquoted(self._value))
        except ValueError as error:
            raise self._error(path, str(error)) from None

    def _error(self, path: str, message: str) -> ConfigError:
        return ConfigError(f"{self._given}: {path}: {message}")
