"""Checks of an input before a run starts, by what its footers say."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from raymon.data.columns import is_integer, is_number, is_string, is_time
from raymon.data.data_file import DataFile
from raymon.data.feature import Feature
from raymon.data.formats import FileFormat, open_files
from raymon.data.labels import LabelKind
from raymon.errors import DataError

_log = logging.getLogger("raymon")


@dataclass(frozen=True)
class InputSummary:
    """What an input holds.

    Attributes:
        rows: of all files.
        files: how many there are.
    """

    rows: int
    files: int


@dataclass(frozen=True)
class _Use:
    """A use of a column: by whom, and the types that are right for it."""

    column: str
    user: str
    types: str
    accepts: Callable[[pa.DataType], bool]


def check_input(
    path: str,
    features: Sequence[Feature],
    *,
    labels: Mapping[str, LabelKind],
    weights: Sequence[str] = (),
    keys: Sequence[str] = (),
    num_class: int | None = None,
    file_format: FileFormat | None = None,
    skip_bad_files: bool = False,
) -> InputSummary:
    """Checks that a reader can read an input; only footers are read.

    With `skip_bad_files`, files of another format are left out, with a warning.

    Raises:
        DataError: no file matches, a file is of another format, a column is missing or of a wrong
            type, files differ in the type of a column, the statistics show a label that is not of
            its kind, or there are no rows. The message is one line and begins with the path.
    """
    if file_format is not None and file_format.lacks:
        _log.info("%s: %s", path, file_format.lacks)
    skipped: list[str] = []
    files = open_files(path, file_format, skipped if skip_bad_files else None)
    for why in skipped:
        _log.warning("%s; the file is left out", why)
    uses = list(_uses(features, labels, weights, keys))
    for file in files:
        for use in uses:
            _check_column(file, files[0], use)
        for name, kind in labels.items():
            _check_label(file, name, kind, num_class)
    rows = sum(file.rows for file in files)
    if rows == 0:
        raise DataError(f"{path}: has no rows; a run needs some")
    return InputSummary(rows, len(files))


def _uses(
    features: Sequence[Feature],
    labels: Mapping[str, LabelKind],
    weights: Sequence[str],
    keys: Sequence[str],
) -> Iterator[_Use]:
    for feature in features:
        for column in feature.columns:
            yield _Use(column, f"feature {feature.name}", feature.accepted_types, feature.accepts)
    for name in labels:
        yield _Use(name, "a label", "numbers", _is_plain_number)
    for name in weights:
        yield _Use(name, "a sample weight", "numbers", _is_plain_number)
    for name in keys:
        yield _Use(
            name, "a grouping key", "integers or strings", lambda t: is_integer(t) or is_string(t)
        )


def _is_plain_number(column_type: pa.DataType) -> bool:
    return is_number(column_type) and not is_time(column_type)


def _check_column(file: DataFile, first: DataFile, use: _Use) -> None:
    names = file.schema.names
    if use.column not in names:
        near = difflib.get_close_matches(use.column, names, n=1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"it has {', '.join(names[:20])}"
            + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        )
        raise DataError(f"{file.path}: has no column {use.column}, needed as {use.user}; {hint}")
    if names.count(use.column) > 1:
        raise DataError(f"{file.path}: has several columns {use.column}; names must differ")
    column_type = file.schema.field(use.column).type
    if not use.accepts(column_type):
        raise DataError(
            f"{file.path}: column {use.column} is {column_type}; {use.user} is made from "
            f"{use.types}"
        )
    first_type = first.schema.field(use.column).type
    if column_type != first_type:
        raise DataError(
            f"{file.path}: column {use.column} is {column_type}, but {first_type} in "
            f"{first.path}; all files must agree"
        )


def _check_label(file: DataFile, name: str, kind: LabelKind, num_class: int | None) -> None:
    for found in file.statistics(name):
        where = f"{file.path}: column {name}, row group {found.row_group}"
        requirement = f"a label must be {kind.requirement(num_class)}"
        if found.nulls:
            raise DataError(f"{where}: {found.nulls} nulls; {requirement}")
        for value in (found.least, found.most):
            if value is not None and not kind.valid(np.array([float(value)]), num_class)[0]:
                raise DataError(f"{where}: value {value!r}; {requirement}")
