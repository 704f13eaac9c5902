"""Parses protobuf text, with errors that name the line, the field and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from google.protobuf import text_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from raymon.config.scalars import parse_scalar
from raymon.config.unknown_names import describe_unknown
from raymon.errors import ConfigError


def parse_text(
    text: str, message: Message, place: Callable[[int], str], path: str = ""
) -> dict[str, int]:
    """Merges a text into a message.

    Args:
        text: Protobuf text of the message.
        message: Message that is changed.
        place: Function that returns the place that an error names, from a line number, from 1.
        path: Path of the message in the config.

    Returns:
        The line where each field is given, from 1, by path of the field.

    Raises:
        ConfigError: The text is not one of this type of message.
    """
    walk = _Walk(text, place)
    try:
        walk.fields(cast(Descriptor, message.DESCRIPTOR), path)
        text_format.Merge(text, message)
    except text_format.ParseError as error:
        line = error.GetLine() or 1
        where = walk.path or "the file"
        raise ConfigError(
            f"{place(line)}: {where}: is not protobuf text: {_reason(error)}; "
            "write NAME: VALUE or NAME { ... }"
        ) from None
    return walk.lines


def missing_field(message: Message) -> str | None:
    """Returns the path of a required field that is not given; None if all are given."""
    missing = cast(Any, message).FindInitializationErrors()
    return missing[0] if missing else None


class _Walk:
    """A walk through the tokens of a text, along the descriptor of its message."""

    def __init__(self, text: str, place: Callable[[int], str]) -> None:
        # The stubs of the tokenizer are wrong.
        self._tokens: Any = text_format.Tokenizer(text.split("\n"))
        self._place = place
        self.lines: dict[str, int] = {}
        self.path = ""
        # The key of the last entry of a map that was read.
        self._key = ""
        self._keys: dict[tuple[str, str], int] = {}

    def fields(self, descriptor: Descriptor, path: str, end: str = "") -> None:
        """Reads all fields of a message, up to the token that ends it."""
        counts: dict[str, int] = {}
        oneofs: dict[str, str] = {}
        while not self._at(end):
            name, line = self._tokens.token, self._line()
            field = descriptor.fields_by_name.get(name)
            if field is None and not name.isidentifier():
                raise self._tokens.ParseError(f"Expected a field, found {name}")
            if field is None:
                names = descriptor.fields_by_name
                known = describe_unknown(name, names, "field", descriptor.name)
                raise self._error(line, _join(path, name), known)
            self._once(field, path, line, oneofs)
            self._tokens.NextToken()
            colon = self._accept(":")
            if field.message_type is None and not colon:
                raise self._tokens.ParseError(f'Expected ":", found {self._tokens.token}')
            if self._accept("["):
                while not self._accept("]"):
                    self._value(field, path, counts)
                    self._accept(",")
            else:
                self._value(field, path, counts)
            self.path = path
            if not self._accept(","):
                self._accept(";")
        if end:
            self._tokens.Consume(end)

    def _once(self, field: FieldDescriptor, path: str, line: int, oneofs: dict[str, str]) -> None:
        """Raises if a field that can be given once is given again."""
        own = _join(path, field.name)
        if not field.is_repeated and own in self.lines:
            first = self._place(self.lines[own])
            raise self._error(line, own, f"is given twice, first at {first}; give it once")
        oneof = field.containing_oneof
        if oneof is not None:
            other = oneofs.setdefault(oneof.name, field.name)
            if other != field.name:
                raise self._error(line, own, f"is given beside {other}; give one of them")

    def _once_in_map(self, path: str, own: str, line: int) -> None:
        """Raises if a key of a map is given again: protobuf would silently take the last one."""
        place = (path, self._key)
        if place in self._keys:
            first = self._place(self._keys[place])
            known = f'key "{self._key}" is given twice, first at {first}; give it once'
            raise self._error(line, own, known)
        self._keys[place] = line

    def _value(self, field: FieldDescriptor, path: str, counts: dict[str, int]) -> None:
        own = _join(path, field.name)
        if field.is_repeated:
            self.lines.setdefault(own, self._line())
            index = counts.get(own, 0)
            counts[own] = index + 1
            own = f"{own}[{index}]"
        self.path = own
        self.lines[own] = line = self._line()
        if field.message_type is not None:
            closing = ">" if self._accept("<") else "}"
            if closing == "}":
                self._tokens.Consume("{")
            self._key = ""
            self.fields(field.message_type, own, closing)
            if field.message_type.GetOptions().map_entry:
                self._once_in_map(_join(path, field.name), own, line)
            return
        token = self._tokens.token
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            if not token.startswith(("'", '"')):
                raise self._error(line, own, f'is {token or "missing"}; must be in quotes, "..."')
            value = self._tokens.ConsumeString()
            owner = cast(Descriptor, field.containing_type)
            if owner.GetOptions().map_entry and field.name == "key":
                self._key = value
            return
        try:
            parse_scalar(field, token)
        except ValueError as error:
            raise self._error(line, own, str(error)) from None
        self._tokens.NextToken()

    def _line(self) -> int:
        return self._tokens.ParseError("").GetLine() or 1

    def _at(self, end: str) -> bool:
        if self._tokens.AtEnd():
            if end:
                raise self._tokens.ParseError(f'Expected "{end}" before the end of the text')
            return True
        return bool(end) and self._tokens.token == end

    def _accept(self, token: str) -> bool:
        return bool(self._tokens.TryConsume(token))

    def _error(self, line: int, path: str, message: str) -> ConfigError:
        return ConfigError(f"{self._place(line)}: {path}: {message}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _reason(error: text_format.ParseError) -> str:
    """Returns the message of an error without the position at its beginning."""
    return str(error).rpartition(" : ")[2].strip().rstrip(".")
