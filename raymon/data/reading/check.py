"""Checks of an input before a run starts, by what the footers of its files say."""

from __future__ import annotations

import difflib
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from raymon.data.features.feature import Feature
from raymon.data.files.data_file import DataFile
from raymon.data.files.formats import FileFormat
from raymon.data.files.versioned_tables import versioned_tables
from raymon.data.reading.converter import Columns
from raymon.data.reading.table_files import open_table
from raymon.data.values.arrow_types import is_list, is_number, is_string, is_time, value_type
from raymon.data.values.canonical import is_value
from raymon.data.values.labels import LabelKind
from raymon.errors import DataError

_log = logging.getLogger("raymon")


VALUE_TYPES = (pa.float64(), pa.int64(), pa.string())
LIST_TYPES = tuple(pa.list_(value_type) for value_type in VALUE_TYPES)


_WHOLE = 32
"""Characters of a string that is whole in any footer."""


@dataclass(frozen=True)
class InputSummary:
    """A summary of an input.

    Attributes:
        rows: Rows of all files.
        files: Number of files.
    """

    rows: int
    files: int


@dataclass(frozen=True)
class _Use:
    """A use of a column: its user, and the types that are right for it."""

    column: str
    user: str
    types: str
    accepts: Callable[[pa.DataType], bool]


def check_input(
    path: str,
    columns: Columns,
    *,
    file_format: FileFormat | None = None,
    skip_bad_files: bool = False,
) -> InputSummary:
    """Checks that a reader can read an input; only footers are read.

    Args:
        path: Files, a directory or a glob, as `open_files` takes them.
        columns: Columns that are needed.
        file_format: Format of the files; None for Parquet.
        skip_bad_files: Whether files of another format are left out, with a warning.

    Raises:
        DataError: No file matches, a file is of another format, a column is missing or of a wrong
            type, numbers are dates or times in some files alone, the statistics show a label that
            is not of its kind, or there are no rows. The message is one line and begins with the
            path.
    """
    if file_format is not None and file_format.limitation:
        _log.info("%s: %s", path, file_format.limitation)
    skipped: list[str] = []
    files = open_table(path, columns, file_format, skipped if skip_bad_files else None)
    for why in skipped:
        _log.warning("%s; the file is left out", why)
    for message in _repeated_files(path, files):
        _log.warning("%s", message)
    for message in versioned_tables(path):
        _log.warning("%s", message)
    for file in files:
        check_schema(file.schema, file.path, columns)
        for name, kind in columns.labels.items():
            if not columns.label_map:
                _check_label(file, name, kind, columns.num_class.get(name))
        for feature in columns.features:
            _check_spelled_numbers(file, feature)
    _check_agreement(files, columns)
    _warn_of_empty_columns(path, files, columns)
    rows = sum(file.rows for file in files)
    if rows == 0:
        raise DataError(f"{path}: has no rows; a run needs some")
    return InputSummary(rows, len(files))


def _repeated_files(path: str, files: Sequence[DataFile]) -> Iterator[str]:
    """Yields a warning if a path means a file more than once, directly or by links."""
    times: Counter[str] = Counter()
    for file in files:
        times[os.path.realpath(file.found.inner_path) if file.found.is_local else file.path] += 1
    again = {name: count for name, count in times.items() if count > 1}
    if again:
        name, count = next(iter(again.items()))
        others = f", and {len(again) - 1} others more than once" if len(again) > 1 else ""
        yield f"{path}: has {name} {count} times{others}; its rows count as often"


def check_schema(schema: pa.Schema, source: str, columns: Columns) -> None:
    """Checks that columns are there, and that their types are right for their uses.

    Args:
        schema: Schema of a file or a table.
        source: Name of the file or the table, for messages.
        columns: Columns that are needed.

    Raises:
        DataError: A column is missing, is there twice, or is of a wrong type.
    """
    for use in _uses(columns):
        _check_column(schema, source, use)


def fitting_type(name: str, columns: Columns, types: Iterable[pa.DataType]) -> pa.DataType | None:
    """Returns the first of some types that is right for all uses of a column; None if none is."""
    uses = [use for use in _uses(columns) if use.column == name]
    fitting = (each for each in types if all(use.accepts(each) for use in uses))
    return next(fitting, None)


def _uses(columns: Columns) -> Iterator[_Use]:
    for feature in columns.features:
        for use in feature.uses:
            yield _Use(use.column, f"feature {feature.name}", use.accepted_types, use.accepts)
    for name in columns.labels:
        if columns.label_map:
            yield _Use(name, "a label", "numbers or strings", _is_number_or_string)
        else:
            yield _Use(name, "a label", "numbers", _is_plain_number)
    for name in columns.weights:
        yield _Use(name, "a sample weight", "numbers", _is_plain_number)
    for name in columns.keys:
        yield _Use(name, "a grouping key", "integers, strings, dates or whole numbers", is_value)


def _check_agreement(files: Sequence[DataFile], columns: Columns) -> None:
    """Checks that a column of numbers means the same in all files.

    Values that become ids have one form for all types. But a date is a number of
    days and a time one of seconds, which differ from other numbers.
    """
    for name in columns.numeric:
        seen: dict[str, DataFile] = {}
        for file in files:
            meaning = _meaning(file.schema.field(name).type)
            if meaning is None:
                continue
            first = next(iter(seen.values()), file)
            seen.setdefault(meaning, file)
            if len(seen) > 1:
                types = [each.schema.field(name).type for each in (file, first)]
                raise DataError(
                    f"{file.path}: column {name} is {types[0]}, but {types[1]} in {first.path}; "
                    "all files must agree"
                )


def _warn_of_empty_columns(path: str, files: Sequence[DataFile], columns: Columns) -> None:
    """Warns of columns of features without a value in any row, as far as the files say."""
    users: dict[str, list[str]] = {}
    for feature in columns.features:
        for column in feature.columns:
            users.setdefault(column, []).append(feature.name)
    for column, names in users.items():
        if any(file.rows for file in files) and all(_has_no_value(file, column) for file in files):
            _log.warning(
                "%s: column %s, of feature %s, has no value in any row",
                path,
                column,
                ", ".join(names),
            )


def _has_no_value(file: DataFile, column: str) -> bool:
    if _meaning(file.schema.field(column).type) is None:
        return True
    nulls = [found.nulls or 0 for found in file.statistics(column)]
    return sum(nulls) == file.rows


def _meaning(column_type: pa.DataType) -> str | None:
    """Returns what a number stands for; None if there are no values."""
    kind = value_type(column_type.value_type if is_list(column_type) else column_type)
    if pa.types.is_null(kind):
        return None
    if pa.types.is_date(kind):
        return "days"
    if pa.types.is_timestamp(kind):
        return "seconds since 1970"
    return "seconds of the day" if is_time(kind) else "numbers"


def _is_number_or_string(column_type: pa.DataType) -> bool:
    return _is_plain_number(column_type) or is_string(column_type)


def _is_plain_number(column_type: pa.DataType) -> bool:
    return is_number(column_type) and not is_time(value_type(column_type))


def _check_column(schema: pa.Schema, source: str, use: _Use) -> None:
    names = schema.names
    if use.column not in names:
        near = [name for name in names if name.lower() == use.column.lower()]
        near = near or difflib.get_close_matches(use.column, names, n=1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"it has {', '.join(names[:20])}"
            + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        )
        if f"/{use.column}=" in source:
            hint = (
                f"{use.column}= in the name of a directory is not read, so write it into the files"
            )
        raise DataError(f"{source}: has no column {use.column}, needed as {use.user}; {hint}")
    if names.count(use.column) > 1:
        raise DataError(f"{source}: has several columns {use.column}; names must differ")
    column_type = schema.field(use.column).type
    if not use.accepts(column_type):
        remedy = ""
        if use.user == "a label" and is_string(column_type):
            remedy = (
                "; data_config.label_map gives strings their numbers, as in "
                'label_map { key: "yes" value: 1 }'
            )
        elif use.types.startswith("integers, strings") and is_time(value_type(column_type)):
            remedy = "; make it a date, an integer or a string"
        raise DataError(
            f"{source}: column {use.column} is {column_type}; {use.user} is made from "
            f"{use.types}{remedy}"
        )


def _check_spelled_numbers(file: DataFile, feature: Feature) -> None:
    """Checks that strings of a feature of numbers spell some, by those that the footer shows."""
    if not feature.made_from_numbers or len(feature.columns) > 1:
        return
    for found in file.statistics(feature.columns[0]):
        for value in (found.least, found.most):
            # Of a long one a footer may show the beginning.
            if isinstance(value, str) and len(value) <= _WHOLE:
                try:
                    feature.convert(pa.array([value]))
                except DataError as error:
                    raise DataError(f"{file.path}: row group {found.row_group}: {error}") from None


def _check_label(file: DataFile, name: str, kind: LabelKind, num_class: int | None) -> None:
    for found in file.statistics(name):
        where = f"{file.path}: column {name}, row group {found.row_group}"
        requirement = f"a label must be {kind.requirement(num_class)}"
        if found.nulls:
            raise DataError(f"{where}: {found.nulls} nulls; {requirement}")
        for value in (found.least, found.most):
            if value is not None and not kind.valid(np.array([float(value)]), num_class)[0]:
                raise DataError(f"{where}: value {value!r}; {requirement}")
