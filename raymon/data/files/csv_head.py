"""The head of a CSV file: the names of its columns, and where its rows begin."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from raymon.errors import DataError, first_line

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class CsvHead:
    """The beginning of a file.

    Attributes:
        names: Names of the columns; empty if the file has no line.
        first: Index of the byte at which the first row begins.
        lines: Number of lines before it.
    """

    names: tuple[str, ...]
    first: int
    lines: int


def read_head(
    text: bytes, names: tuple[str, ...], delimiter: str, *, with_header: bool, is_whole: bool
) -> CsvHead:
    """Returns the head of a file.

    Args:
        text: First bytes of the file.
        names: Names of the columns of a file without a header.
        delimiter: Text between the values of a line.
        with_header: Whether the first line that is not empty has the names.
        is_whole: Whether the file has no more bytes than these.

    Raises:
        DataError: It is no text in UTF-8, or its lines do not end in LF. The message has no path.
    """
    if text.startswith(_UTF_16):
        raise DataError("is text in UTF-16; CSV is read as UTF-8, so convert it")
    first = len(_BOM) if text.startswith(_BOM) else 0
    lines = 0
    while text.startswith((b"\n", b"\r\n"), first):
        first = text.index(b"\n", first) + 1
        lines += 1
    line, end, _ = text[first:].partition(b"\n")
    behind = first + len(line) + len(end)
    if b"\0" in line:
        raise DataError("has NUL bytes, as files have that are no text, or text in UTF-16")
    if not end and not is_whole:
        raise DataError(
            f"has no end of a line in its first {len(text) >> 20} MiB; is it a CSV file?"
        )
    line = line.removesuffix(b"\r")
    if b"\r" in line and b'"' not in line:
        raise DataError("its lines end in CR alone; let them end in LF or CR LF")
    if not line or not with_header:
        return CsvHead(() if not line else names, first, lines)
    try:
        found = next(csv.reader([line.decode()], delimiter=delimiter))
    except UnicodeDecodeError:
        raise DataError("its header is not UTF-8; convert the file") from None
    except csv.Error as error:
        raise DataError(f"its first line is no header: {first_line(error)}") from None
    return CsvHead(tuple(name.strip() for name in found), behind, lines + 1)
