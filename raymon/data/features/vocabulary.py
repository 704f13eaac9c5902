"""Listed values and their ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.values.arrow_types import is_string
from raymon.data.values.canonical import canonical, canonical_text, canonical_texts, spells_integer
from raymon.errors import UserError, os_reason
from raymon.storage import storage_path

UNLISTED, FIRST = 1, 2
"""The id of unlisted values, and that of the first listed one; the default value has id 0."""

_BLANKS = " \t\u00a0\u3000\ufeff"


@dataclass(frozen=True)
class Vocabulary:
    """The ids of values.

    Attributes:
        ids: Ids by the text of the canonical form.
        unlisted: Id of a value that is not listed.
    """

    ids: Mapping[str, int] = field(default_factory=dict)
    unlisted: int = UNLISTED

    @property
    def rows(self) -> int:
        """The number of rows of the table that the ids belong to."""
        return max(self.unlisted, *self.ids.values()) + 1


def vocabulary_with_reserved_ids(
    listed: Mapping[str, int],
    default_value: str,
    form: Callable[[str], str] = canonical_text,
    *,
    listed_default: bool = True,
) -> Vocabulary:
    """Returns the ids of listed values, from 2 on; 0 and 1 are reserved.

    0 is the id of the default value, 1 that of values that are not listed.

    Args:
        listed: Ids by value.
        default_value: Default value; "" if there is none.
        form: Function from a value to its canonical form, spelled out.
        listed_default: Whether a default value that is listed has the id of the list, not 0.

    Raises:
        ValueError: A value is empty, or has an id below 2, or two of them are the same value.
    """
    for text, id in listed.items():
        if id < FIRST:
            raise ValueError(
                f'"{text}": {id}; ids begin at {FIRST} (0 is the default value, 1 an unlisted '
                "one), unless default_bucketize_value is given"
            )
    ids = _by_form(listed, form)
    default = form(default_value)
    if default and not (listed_default and default in ids):
        ids[default] = 0
    return Vocabulary(ids)


def vocabulary_as_listed(
    listed: Mapping[str, int], unlisted: int, form: Callable[[str], str] = canonical_text
) -> Vocabulary:
    """Returns the ids of listed values as they are, with a given id for all others.

    Args:
        listed: Ids by value.
        unlisted: Id of all other values.
        form: Function from a value to its canonical form, spelled out.

    Raises:
        ValueError: A value is empty, two of them are the same value, or `unlisted` is above the
            largest listed id.
    """
    ids = _by_form(listed, form)
    rows = max(ids.values()) + 1
    if unlisted >= rows:
        raise ValueError(
            f"default_bucketize_value is {unlisted}; it must be one of the ids, below {rows}"
        )
    return Vocabulary(ids, unlisted)


def ids_in_order(values: Sequence[str], first: int = FIRST) -> dict[str, int]:
    """Returns ids for values, in their order.

    Raises:
        ValueError: A value occurs twice.
    """
    ids: dict[str, int] = {}
    for id, value in enumerate(values, first):
        if value in ids:
            raise ValueError(f'values must differ; "{value}" is there twice')
        ids[value] = id
    return ids


def read_values(path: str, first: int = FIRST) -> dict[str, int]:
    """Returns ids for the values of a file with one value a line, with lines ended by LF or CR LF.

    Raises:
        ValueError: The file cannot be read, or has an empty line, a value twice, a value with
            blanks around it, or other line ends.
    """
    values = _lines(path)
    lines: dict[str, int] = {}
    for number, value in enumerate(values, 1):
        if value in lines:
            raise ValueError(
                f'{path}:{number}: "{value}" is in line {lines[value]} too; values must differ'
            )
        lines[value] = number
    return ids_in_order(values, first)


def read_values_and_ids(path: str) -> dict[str, int]:
    """Returns the ids of the values of a file, whose lines hold values alone or values with ids.

    Without ids the first value has id 0. A value has no blanks in it.

    Raises:
        ValueError: As `read_values`, or the lines are of neither kind.
    """
    parts = [re.split("[ \t]+", line) for line in _lines(path)]
    if all(len(part) == 1 for part in parts):
        return read_values(path, 0)
    ids: dict[str, int] = {}
    for number, part in enumerate(parts, 1):
        if len(part) != 2 or not spells_integer(part[1]) or int(part[1]) < 0:
            raise ValueError(
                f'{path}:{number}: "{" ".join(part)}" is no value and its id; with '
                "default_bucketize_value every line has a value without blanks, or every one a "
                "value, a blank and its id"
            )
        if part[0] in ids:
            raise ValueError(f'{path}:{number}: "{part[0]}" is there twice; values must differ')
        ids[part[0]] = int(part[1])
    return ids


def look_up(values: pa.Array, vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """Returns the ids of values `[N]`, none of them null: int64 `[N]`.

    Raises:
        ValueError: A value has no certain form; the message quotes it.
    """
    values, ids = canonical(values), vocabulary.ids
    if is_string(values.type):
        listed = list(ids)
        known = pa.array(listed, pa.large_string())
        values = canonical_texts(values)
    else:
        listed = [text for text in ids if spells_integer(text)]
        known = pa.array([int(text) for text in listed], pa.int64())
    found = pc.index_in(values, known).fill_null(-1).to_numpy(zero_copy_only=False)
    of_listed = np.array([vocabulary.unlisted, *(ids[text] for text in listed)], np.int64)
    taken: npt.NDArray[np.int64] = of_listed[found + 1]
    return taken


def _by_form(listed: Mapping[str, int], form: Callable[[str], str]) -> dict[str, int]:
    spelled: dict[str, str] = {}
    ids: dict[str, int] = {}
    for text, id in listed.items():
        if not text:
            raise ValueError("no value may be empty; an empty value is a missing one")
        own = form(text)
        if own in spelled:
            raise ValueError(f'values must differ; "{text}" and "{spelled[own]}" are the same')
        spelled[own], ids[own] = text, id
    return ids


def _lines(path: str) -> list[str]:
    try:
        text = storage_path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {os_reason(error)}") from None
    except UserError as error:
        raise ValueError(str(error)) from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} cannot be read: it is not UTF-8: {error.reason}") from None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise ValueError(f"{path} is empty")
    values = [line.removesuffix("\r") for line in lines]
    for number, value in enumerate(values, 1):
        if not value:
            raise ValueError(f"{path}:{number}: is an empty line; none may be empty")
        if "\r" in value:
            raise ValueError(
                f"{path}:{number}: has a carriage return inside; lines end with LF or CR LF"
            )
        if value != value.strip(_BLANKS):
            raise ValueError(
                f"{path}:{number}: {value!r} has blanks around it; take them off, or list the "
                "values in vocab_list"
            )
    return values
