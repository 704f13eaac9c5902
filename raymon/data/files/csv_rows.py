"""Parses lines of CSV to rows, and says what is wrong with lines that are no rows."""

from __future__ import annotations

import csv as python_csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf(inity)?|nan)", re.I)
_TRUTHS = {"true": "1", "false": "0"}


@dataclass(frozen=True)
class WrongLine:
    """A line that is no row.

    Attributes:
        line: Index of the line in the text, from 0.
        why: Reason, in words.
    """

    line: int
    why: str


@dataclass(frozen=True)
class CsvRows:
    """The rows of a text.

    Attributes:
        table: Lines that are rows.
        places: Index of each row among the lines that are not empty, int64 `[B]`.
        wrong: Lines that are no rows.
    """

    table: pa.Table
    places: npt.NDArray[np.int64]
    wrong: Sequence[WrongLine]


class LineParser:
    """A parser of lines to rows.

    Args:
        names: Names of all columns, in their order.
        delimiter: Text between the values of a line.
    """

    def __init__(self, names: Sequence[str], delimiter: str) -> None:
        self._names = list(names)
        self._delimiter = delimiter

    def parse(self, text: bytes, lines: int, types: Mapping[str, pa.DataType]) -> pa.Table | None:
        """Returns the rows of lines, if each of them is a row; None if any is not.

        Args:
            text: Lines; empty ones are no rows.
            lines: Number of lines that are not empty.
            types: Types of the columns that are wanted.
        """
        if b"\0" in text:
            return None
        try:
            table = csv.read_csv(
                pa.BufferReader(text),
                csv.ReadOptions(column_names=self._names, block_size=max(len(text), 1)),
                csv.ParseOptions(delimiter=self._delimiter),
                csv.ConvertOptions(
                    column_types=dict(types),
                    include_columns=list(types),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            return None
        return table if len(table) == lines else None

    def parse_with_errors(
        self, text: bytes, lines: int, types: Mapping[str, pa.DataType]
    ) -> CsvRows:
        """Returns the rows of lines if some are wrong, or have truth values for numbers.

        Args:
            text: Lines, as those of `parse`.
            lines: Number of lines that are not empty.
            types: Types of the columns that are wanted.

        Raises:
            pyarrow.ArrowInvalid: It is unknown which lines are wrong.
        """
        strings = {name: pa.string() for name in types}
        numbers = _lines(text)
        wrong: list[WrongLine] = []
        places = np.arange(lines)
        table = self.parse(text, lines, strings)
        if table is None:
            good, places, wrong = self._good_lines(text, types)
            table = self.parse(good, len(places), strings) if good else _no_rows(strings)
        if table is None:
            raise pa.ArrowInvalid(f"{lines} lines are not as many rows")
        bad = np.zeros(len(table), np.bool_)
        for name, wanted in types.items():
            column, failed = _converted(table[name], wanted)
            for row in np.flatnonzero(failed & ~bad).tolist():
                why = _why_no_value(name, table[name][row].as_py(), wanted)
                wrong.append(WrongLine(numbers[int(places[row])], why))
            bad |= failed
            table = table.set_column(table.column_names.index(name), name, column)
        if bad.any():
            table = table.filter(pa.array(~bad))
        return CsvRows(table, places[~bad], sorted(wrong, key=lambda each: each.line))

    def _good_lines(
        self, text: bytes, wanted: Collection[str]
    ) -> tuple[bytes, npt.NDArray[np.int64], list[WrongLine]]:
        """Returns the lines that are rows, their indices among non-empty lines, and wrong lines."""
        good, places, wrong = [], [], []
        place = 0
        for number, line in enumerate(text.split(b"\n")):
            if line in (b"", b"\r"):
                continue
            why = self._why_wrong(line, wanted)
            if why:
                wrong.append(WrongLine(number, why))
            else:
                good.append(line)
                places.append(place)
            place += 1
        return b"\n".join(good), np.array(places, np.int64), wrong

    def _why_wrong(self, line: bytes, wanted: Collection[str]) -> str:
        if b"\0" in line:
            return "has NUL bytes"
        text = line.removesuffix(b"\r").decode(errors="surrogateescape")
        if "\r" in text and '"' not in text:
            return "has a carriage return in it"
        try:
            values = next(python_csv.reader([text], delimiter=self._delimiter, strict=True), [])
        except python_csv.Error as error:
            if "unexpected end" in str(error):
                return "has a quote that is not closed; a value may have no line break"
            values = next(python_csv.reader([text], delimiter=self._delimiter), [])
        if len(values) != len(self._names):
            return f"has {len(values)} values, and there are {len(self._names)} columns"
        for name, value in zip(self._names, values, strict=True):
            if name in wanted and any("\udc80" <= letter <= "\udcff" for letter in value):
                return f"column {name}: is not UTF-8"
        return ""


def _no_rows(types: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.schema(list(types.items())).empty_table()


def _lines(text: bytes) -> list[int]:
    """Returns the indices of the lines that are not empty."""
    return [n for n, line in enumerate(text.split(b"\n")) if line not in (b"", b"\r")]


def _converted(
    column: pa.ChunkedArray, wanted: pa.DataType
) -> tuple[pa.ChunkedArray | pa.Array, npt.NDArray[np.bool_]]:
    """Returns a column of strings as another type, and a mask of the rows that fail."""
    encoded = column.combine_chunks().dictionary_encode()
    if not pa.types.is_primitive(wanted):
        return (
            encoded if pa.types.is_dictionary(wanted) else column,
            np.zeros(len(column), np.bool_),
        )
    values = pa.array([_value(text, wanted) for text in encoded.dictionary.to_pylist()], wanted)
    result = values.take(encoded.indices)
    failed = pc.and_(column.is_valid(), result.is_null())
    return result, failed.to_numpy(zero_copy_only=False)


def _value(text: str, wanted: pa.DataType) -> float | int | None:
    text = text.strip()
    text = _TRUTHS.get(text.lower(), text)
    if not _NUMBER.fullmatch(text):
        return None
    if not pa.types.is_integer(wanted):
        return float(text)
    half = 1 << (wanted.bit_width - 1)
    return int(text) if re.fullmatch(r"[+-]?\d{1,19}", text) and -half <= int(text) < half else None


def _why_no_value(name: str, text: str, wanted: pa.DataType) -> str:
    kind = "integer" if pa.types.is_integer(wanted) else "number"
    shown = text if len(text) <= 40 else text[:40] + "..."
    why = f"column {name}: value {shown!r} is no {kind}; a missing one is empty"
    if text.strip() == name:
        return why + "; is it a header? set data_config.with_header"
    return (
        why + "; data_config.input_fields says which type a column has, and data_config.label_map "
        "which number a label is"
    )


def runs(places: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yields the runs of rows without a gap.

    Args:
        places: Index of each row among the lines, ascending, int64 `[B]`.

    Returns:
        For each run the place of its first row, the index of that row, and the index after its
        last row.
    """
    cuts = [0, *(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), len(places)]
    for begin, end in pairwise(cuts):
        if begin < end:
            yield int(places[begin]), begin, end
