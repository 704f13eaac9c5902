"""The lines of `monitor/ranks.jsonl`, parsed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from raymon.results import RankNumbers
from raymon.runs.rank_line import RankLine
from raymon.runs.reading.arrow_values import float_values, list_offsets, validity
from raymon.runs.reading.line_numbers import arrow_table, parsed_line


def rank_lines_of(data: bytes, count: int) -> Iterator[tuple[int, RankLine]]:
    """Yields the places and numbers of lines; those that are none are left out.

    Args:
        data: Lines, each with its newline.
        count: Number of lines.
    """
    table = arrow_table(data) if count > 1 else None
    if table is not None and table.num_rows == count:
        try:
            yield from list(enumerate(_of_table(table)))
            return
        except (KeyError, TypeError, ValueError, pa.ArrowException):
            # One of the lines is not as the others are.
            pass
    for place, line in enumerate(data.split(b"\n")[:-1]):
        record = parsed_line(line)
        if record is not None:
            try:
                found = RankLine.of_line(record)
            except (KeyError, TypeError, ValueError, OverflowError):
                continue
            yield place, found


def _of_table(table: Any) -> list[RankLine]:
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    firsts = columns["first_step"].to_pylist()
    ends = columns["global_step"].to_pylist()
    seconds = columns["seconds"].to_pylist()
    sizes = columns["world_size"].to_pylist()
    times = columns["time"].to_pylist() if "time" in columns else [None] * len(firsts)
    ranks = _lists(columns["ranks"])
    numbers = columns["rank_numbers"]
    fields = [numbers.type.field(i).name for i in range(numbers.type.num_fields)]
    values = dict(zip(fields, map(_lists, numbers.flatten()), strict=True))
    lines = []
    for place, first in enumerate(firsts):
        mine = ranks[place]
        if mine is None:
            raise TypeError("a line has no ranks")
        known = {name: found[place] for name, found in values.items()}
        named = {name: found for name, found in known.items() if found is not None}
        lines.append(
            RankLine(
                int(first),
                int(ends[place]),
                float(times[place] or "nan"),
                float(seconds[place]),
                int(sizes[place]),
                RankNumbers.of_json(mine.astype(int).tolist(), named),
            )
        )
    return lines


def _lists(array: Any) -> list[Any]:
    """Returns the lists of an Arrow array as arrays of numbers, None where there is none."""
    if not pa.types.is_list(array.type):
        raise TypeError("no lists")
    values = float_values(array.values)
    begins, valid = list_offsets(array), validity(array)
    return [
        values[begin:end] if is_there else None
        for begin, end, is_there in zip(begins[:-1], begins[1:], valid, strict=True)
    ]
