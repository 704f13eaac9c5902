"""Configs as nested dicts, and the protobuf text of them, whatever fields a schema has."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import text_encoding

Block = dict[str, Any]
"""Fields by name; a value is a scalar, a block, or a list of these."""


class Word(str):
    """A value that stands without quotes: of an enum."""

    __slots__ = ()


class Twice(list[Any]):
    """Values of a field that is given more than once, though it can have one."""


_TOKEN = re.compile(
    r"""#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[{}\[\]<>:,;]|[^\s{}\[\]<>:,;#"']+"""
)


def many(block: Block, name: str) -> list[Any]:
    """Returns the values of a field that may be given any number of times."""
    value = block.get(name, [])
    return value if isinstance(value, list) else [value]


def one(block: Block, name: str, default: Any = None) -> Any:
    """Returns the last value of a field, or the default."""
    values = many(block, name)
    return values[-1] if values else default


def text_of(block: Block, indent: str = "") -> str:
    """Returns the protobuf text of a block, a field on each line."""
    lines = []
    for name, value in block.items():
        in_one = isinstance(value, list) and not isinstance(value, Twice)
        if in_one and not any(isinstance(item, dict) for item in value):
            lines.append(f"{indent}{name}: [{', '.join(map(_scalar, value))}]\n")
            continue
        for item in many(block, name):
            if isinstance(item, dict):
                inner = text_of(item, indent + "  ")
                lines.append(f"{indent}{name} {{\n{inner}{indent}}}\n")
            else:
                lines.append(f"{indent}{name}: {_scalar(item)}\n")
    return "".join(lines)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not isinstance(value, Word):
        return f'"{text_encoding.CEscape(value, as_utf8=True)}"'
    return str(value)


def block_of(text: str) -> Block:
    """Returns the block of a protobuf text."""
    tokens = [token for token in _TOKEN.findall(text) if not token.startswith("#")]
    return _fields(tokens[::-1], "")


def _fields(tokens: list[str], end: str) -> Block:
    block: Block = {}
    while tokens and tokens[-1] != end:
        name = tokens.pop()
        if tokens[-1] == ":":
            tokens.pop()
        if tokens[-1] == "[":
            tokens.pop()
            values = block.setdefault(name, [])
            while tokens[-1] != "]":
                values.append(_value(tokens))
                if tokens[-1] == ",":
                    tokens.pop()
            tokens.pop()
        else:
            block.setdefault(name, []).append(_value(tokens))
        if tokens and tokens[-1] in ",;":
            tokens.pop()
    if tokens:
        tokens.pop()
    return block


def _value(tokens: list[str]) -> Any:
    token = tokens.pop()
    if token in "{<":
        return _fields(tokens, "}" if token == "{" else ">")
    if token[0] in "\"'":
        return text_encoding.CUnescape(token[1:-1]).decode()
    if token.lower() in ("true", "false"):
        return token.lower() == "true"
    for kind in (int, float):
        try:
            return kind(token)
        except ValueError:
            continue
    return Word(token)
