"""Parses protobuf text, with errors that name the line, the field and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from google.protobuf import text_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from raymon.config.edited_text import EditedText, Position
from raymon.config.known_names import known_fields
from raymon.config.refusals import Refusal
from raymon.config.scalars import parse_scalar
from raymon.config.unknown_names import is_had_without, not_yet, unknown_field, value_not_yet
from raymon.errors import ConfigError

_OPENING = {"{": "}", "<": ">", "[": "]"}
_QUOTES = ("'", '"')


def parse_text(
    text: str,
    message: Message,
    place: Callable[[int], str],
    path: str = "",
    refusals: list[Refusal] | None = None,
) -> dict[str, int]:
    """Merges a text into a message.

    Args:
        text: Protobuf text of the message.
        message: Message that is changed.
        place: Function that returns the place that an error names, from a line number, from 1.
        path: Path of the message in the config.
        refusals: List to which the parts are appended that raymon does not have yet. The message
            is as if they were left out; a value has another one of its enum in its place. None if
            each of them is an error.

    Returns:
        The line where each field is given, from 1, by path of the field.

    Raises:
        ConfigError: The text is not one of this type of message.
    """
    walk = _Walk(text, place, refusals)
    try:
        walk.fields(cast(Descriptor, message.DESCRIPTOR), path)
        text_format.Merge(str(walk.text), message)
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

    def __init__(
        self, text: str, place: Callable[[int], str], refusals: list[Refusal] | None
    ) -> None:
        self.text = EditedText(text.split("\n"))
        # The stubs of the tokenizer are wrong.
        self._tokens: Any = text_format.Tokenizer(self.text.lines)
        self._place = place
        self._refusals = refusals
        self.lines: dict[str, int] = {}
        self.path = ""
        # The key of the last entry of a map that was read.
        self._key = ""
        self._keys: dict[tuple[str, str], int] = {}
        # The values of fields that can be given once.
        self._values: dict[str, str] = {}

    def fields(self, descriptor: Descriptor, path: str, end: str = "") -> None:
        """Reads all fields of a message, up to the token that ends it."""
        counts: dict[str, int] = {}
        oneofs: dict[str, str] = {}
        while not self._at(end):
            name, line = self._tokens.token, self._line()
            field = descriptor.fields_by_name.get(name)
            if field is None:
                self._refuse_field(name, descriptor, path)
                continue
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

    def _refuse_field(self, name: str, descriptor: Descriptor, path: str) -> None:
        """Leaves out a field that raymon does not have yet, whatever is in it."""
        if not name.isidentifier():
            raise self._tokens.ParseError(f"Expected a field, found {name}")
        own, start = _join(path, name), self._position()
        why = not_yet(descriptor.name, name, descriptor.fields_by_name)
        if why is None:
            what = unknown_field(descriptor.name, name, descriptor.fields_by_name)
            raise self._error(self._line(), own, what)
        line = self._line()
        self._tokens.NextToken()
        colon = self._accept(":")
        if not colon and self._tokens.token not in _OPENING:
            raise self._tokens.ParseError(f'Expected ":", found {self._tokens.token}')
        value, fields = self._tokens.token, self._skip_value()
        if not is_had_without(name, value):
            self._refuse(Refusal(own, name, why, known_fields(descriptor.name)[name], fields), line)
        if not self._accept(","):
            self._accept(";")
        self.text.leave_out(start, self._position())

    def _refuse(self, refusal: Refusal, line: int) -> None:
        if self._refusals is None:
            raise self._error(line, refusal.path, refusal.why)
        self._refusals.append(refusal)
        self.lines.setdefault(refusal.path, line)

    def _skip_value(self) -> dict[str, str]:
        """Goes on behind a value: a scalar, a block or a list; returns the scalars of a block."""
        opened: list[str] = []
        scalars: dict[str, str] = {}
        before = ["", ""]
        while True:
            token = self._tokens.token
            if len(opened) == 1 and before[1] == ":" and token not in _OPENING:
                scalars[before[0]] = token.strip("".join(_QUOTES))
            before = [before[1], token]
            if self._tokens.AtEnd():
                raise self._tokens.ParseError("Expected a value before the end of the text")
            if token in _OPENING:
                opened.append(_OPENING[token])
            elif opened and token == opened[-1]:
                opened.pop()
            self._tokens.NextToken()
            # Strings that follow each other are one.
            more = token.startswith(_QUOTES) and self._tokens.token.startswith(_QUOTES)
            if not opened and not more:
                return scalars

    def _once(self, field: FieldDescriptor, path: str, line: int, oneofs: dict[str, str]) -> None:
        """Raises if a block that can be given once is given again."""
        own = _join(path, field.name)
        if not field.is_repeated and field.message_type is not None and own in self.lines:
            raise self._twice(own, line, self.lines[own])
        oneof = field.containing_oneof
        if oneof is not None:
            other = oneofs.setdefault(oneof.name, field.name)
            if other != field.name:
                raise self._error(line, own, f"is given beside {other}; give one of them")

    def _same(self, own: str, value: str, line: int, first: int | None) -> None:
        """Raises if a value is given again and is another one: nobody knows which is meant."""
        if first is not None and self._values.get(own, value) != value:
            raise self._twice(own, line, first)
        self._values[own] = value

    def _twice(self, own: str, line: int, first: int) -> ConfigError:
        where = self._place(first)
        return self._error(line, own, f"is given twice, first at {where}; give it once")

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
        first = self.lines.get(own)
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
            self._same(own, value, line, first)
            owner = cast(Descriptor, field.containing_type)
            if owner.GetOptions().map_entry and field.name == "key":
                self._key = value
            return
        if self._refused_value(field, token, own):
            return
        try:
            parse_scalar(field, token)
        except ValueError as error:
            raise self._error(line, own, str(error)) from None
        self._same(own, token, line, first)
        self._tokens.NextToken()

    def _refused_value(self, field: FieldDescriptor, token: str, own: str) -> bool:
        """Returns whether a value is one that raymon does not have yet; then it is replaced."""
        if field.enum_type is None or token in field.enum_type.values_by_name:
            return False
        why = value_not_yet(field.enum_type.name, token)
        if why is None:
            return False
        oneof = field.containing_oneof
        self._refuse(Refusal(own, token, why, "" if oneof is None else oneof.name), self._line())
        self.text.replace(self._position(), token, next(iter(field.enum_type.values_by_name)))
        self._tokens.NextToken()
        return True

    def _position(self) -> Position:
        """Returns where the token begins that is read next."""
        if self._tokens.AtEnd():
            return len(self.text.lines), 0
        error = self._tokens.ParseError("")
        return error.GetLine() - 1, error.GetColumn() - 1

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
