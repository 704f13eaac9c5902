"""Parses values of fields that are not messages from text."""

from __future__ import annotations

import re
from typing import TypeAlias

from google.protobuf.descriptor import FieldDescriptor

from raymon.config.unknown_names import describe_unknown, value_not_yet

Scalar: TypeAlias = bool | int | float | str

_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (True, 32),
    FieldDescriptor.CPPTYPE_INT64: (True, 64),
    FieldDescriptor.CPPTYPE_UINT32: (False, 32),
    FieldDescriptor.CPPTYPE_UINT64: (False, 64),
}
_REALS = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)
_BOOLS = {"true": True, "false": False, "1": True, "0": False}


def parse_scalar(field: FieldDescriptor, text: str) -> Scalar:
    """Returns the value that a text stands for in a field; a string is taken as it is.

    Raises:
        ValueError: The text is no such value; the message says what would be one.
    """
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return text
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return _parse_enum(field, text)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        if text.lower() not in _BOOLS:
            raise ValueError(f"is {text}; must be true or false")
        return _BOOLS[text.lower()]
    if kind in _REALS:
        try:
            return float(re.sub(r"(?<=[0-9.])[fF]$", "", text))
        except ValueError:
            raise ValueError(f"is {text}; must be a number") from None
    return _parse_integer(field, text)


def is_text(text: str) -> bool:
    """Returns whether a text is UTF-8, as a field needs; texts from the shell may not be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parse_integer(field: FieldDescriptor, text: str) -> int:
    signed, bits = _BITS[field.cpp_type]
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    try:
        value = int(text, 0)
    except ValueError:
        kind = "an integer" if signed else "an integer, 0 or more"
        raise ValueError(f"is {text}; must be {kind}") from None
    if not low <= value < high:
        raise ValueError(f"is {text}; must be an integer from {low} to {high - 1}")
    return value


def _parse_enum(field: FieldDescriptor, text: str) -> int:
    assert field.enum_type is not None
    values = field.enum_type.values_by_name
    if text in values:
        return int(values[text].number)
    refused = value_not_yet(field.enum_type.name, text)
    raise ValueError(refused or describe_unknown(text, values, "value"))
