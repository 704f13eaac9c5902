"""The canonical form of values that become ids, whatever type and file they come from.

A value is a 64-bit integer or a text. The same value has the same form, and so the same id:

- integers of any width, booleans (1 and 0), whole numbers in columns of floats or decimals, and the
  texts that spell them (`7`, `7.0`, `true`) are the integer;
- a number beyond 64 bits is the text of its digits;
- dates are their ISO text, 2024-01-31;
- other texts are themselves: `007`, ` 7` and `+7` are no integers.

A value whose form is not certain (a float that is not whole, or too large to be exact) is refused.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.values.arrow_types import is_list, is_string, value_type
from raymon.data.values.spelled_integers import spelled_integers

Integers = npt.NDArray[np.int64]

NO_INTEGER = -(2**63)
"""Value in place of a text that is no integer."""

_LEAST = NO_INTEGER + 1

# From this number on, floats of so many bits do not represent every integer.
_EXACT = {16: 2.0**11, 32: 2.0**24, 64: 2.0**53}
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
# The pattern of texts that spell an integer in another way than `str` does.
_OTHERWISE = r"^((0|-?[1-9][0-9]{0,18})\.0|-0\.0|true|True|TRUE|false|False|FALSE)$"


def is_value(column_type: pa.DataType) -> bool:
    """Whether values of a type have a canonical form, plain or dictionary-encoded."""
    kind, types = value_type(column_type), pa.types
    return bool(
        is_string(kind)
        or types.is_integer(kind)
        or types.is_boolean(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_date(kind)
        or types.is_null(kind)
    )


def kind_of_values(column_type: pa.DataType) -> str:
    """Returns whether values that become ids are "numbers", "texts" or "nothing".

    The width of their type makes no difference.
    """
    kind = value_type(column_type.value_type if is_list(column_type) else column_type)
    if pa.types.is_null(kind):
        return "nothing"
    return "texts" if is_string(kind) or pa.types.is_date(kind) else "numbers"


def canonical(values: pa.Array) -> pa.Array:
    """Returns values `[N]` without a dictionary as int64 or strings; NaN is null.

    Raises:
        ValueError: A value has no certain form; the message quotes it.
    """
    kind, types = values.type, pa.types
    if is_string(kind) or types.is_int64(kind):
        return values
    if types.is_uint64(kind) and (pc.max(values).as_py() or 0) >= 2**63:
        return values.cast(pa.string())
    if types.is_integer(kind):
        return values.cast(pa.int64())
    if types.is_boolean(kind):
        return values.cast(pa.int8()).cast(pa.int64())
    if types.is_floating(kind):
        return _of_floats(values)
    if types.is_decimal(kind):
        return _of_decimals(values)
    if types.is_date(kind):
        return values.cast(pa.date32()).cast(pa.string())
    return pa.nulls(len(values), pa.string())


def canonical_text(text: str) -> str:
    """Returns the canonical form of a text, spelled out."""
    if text in _TRUE:
        return "1"
    if text in _FALSE:
        return "0"
    whole = text.removesuffix(".0")
    if whole == text:
        return text
    if whole == "-0":
        return "0"
    return whole if spells_integer(whole) else text


def canonical_texts(values: pa.Array) -> pa.Array:
    """Returns the canonical forms of values `[N]`, spelled out, as large strings."""
    values = canonical(values)
    if not is_string(values.type):
        return values.cast(pa.large_string())
    texts = values.cast(pa.large_string())
    otherwise = pc.match_substring_regex(texts, _OTHERWISE).fill_null(False)
    if not pc.any(otherwise).as_py():
        return texts
    spelled = [canonical_text(text) for text in texts.filter(otherwise).to_pylist()]
    return pc.replace_with_mask(texts, otherwise, pa.array(spelled, pa.large_string()))


def parsed_integers(values: pa.Array) -> Integers:
    """Returns the integers `[N]` that values spell, `NO_INTEGER` where one spells none.

    No value may be null. Texts may have leading zeros. A number beyond 64 bits becomes the largest
    or the least integer.
    """
    values = canonical(values)
    if not is_string(values.type):
        integers: Integers = values.to_numpy(zero_copy_only=False)
        return np.maximum(integers, _LEAST)
    rows, spelled = spelled_integers(values)
    spelled = np.maximum(spelled, _LEAST)
    if len(rows) == len(values):
        return spelled
    parsed = np.full(len(values), NO_INTEGER)
    rest = np.ones(len(values), bool)
    rest[rows] = False
    parsed[rest] = [_parsed(text) for text in values.filter(pa.array(rest)).to_pylist()]
    parsed[rows] = spelled
    return parsed


def spells_integer(text: str) -> bool:
    """Whether a text is a 64-bit integer, as `str` writes it."""
    try:
        return str(int(text)) == text and -(2**63) <= int(text) < 2**63
    except ValueError:
        return False


def _parsed(text: str) -> int:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit():
        return NO_INTEGER
    digits = digits.lstrip("0")[:20] or "0"
    return max(-int(digits), _LEAST) if text[0] == "-" else min(int(digits), 2**63 - 1)


def _of_floats(values: pa.Array) -> pa.Array:
    limit = _EXACT[values.type.bit_width]
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    reals = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    missing = np.isnan(reals)
    # Comparisons with NaN are false, and warn.
    with np.errstate(invalid="ignore"):
        wrong = ~missing & ~((np.abs(reals) < limit) & (np.floor(reals) == reals))
    if wrong.any():
        value = float(reals[wrong][0])
        whole = value.is_integer()
        why = f"is not exact in a column of {values.type}" if whole else "is not whole"
        raise ValueError(f"{value!r} {why}; make the column integers or strings")
    return pa.array(np.where(missing, 0, reals).astype(np.int64), mask=missing)


def _of_decimals(values: pa.Array) -> pa.Array:
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        pass
    try:
        return values.cast(pa.decimal256(76, 0)).cast(pa.string())
    except pa.ArrowInvalid:
        wrong = next(v for v in values.to_pylist() if v is not None and v != v.to_integral_value())
        raise ValueError(f"{wrong} is not whole; make the column integers or strings") from None
