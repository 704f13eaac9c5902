"""Whether the training data can be read in parallel, and fast."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from raymon.embeddings import size_text
from raymon.training.doctor.facts import DataFacts, Facts
from raymon.training.doctor.problem import Problem

_SMALL_ROWS = 5_000
_SMALL_BYTES = 500_000
"""Below both, opening a row group takes as long as reading it."""

_SLOW_BYTES_PER_S = 20e6
_SLOW_ROWS_PER_S = 200_000
"""Few bytes may be many rows, as files are compressed."""


def check_row_groups(facts: Facts) -> Iterator[Problem]:
    """Yields row groups that are too few for the streams, too small, or read slowly."""
    if facts.data is None:
        return
    data, groups = facts.data, len(facts.data.row_group_rows)
    if groups < data.streams:
        yield Problem(
            "row_groups",
            f"{data.path} has {groups} row groups for {data.streams} streams of data: several "
            "workers decode the same one, and each throws away the rows of the others",
            f"write {4 * data.streams} row groups or more (pyarrow: row_group_size="
            f"{max(1, sum(data.row_group_rows) // (4 * data.streams)):,}), or use fewer workers",
        )
    if groups > 1 and _is_small(data):
        yield Problem(
            "row_groups",
            f"{data.path} has {groups:,} row groups of {median(data.row_group_rows):,.0f} rows, "
            f"{size_text(data.file_bytes // groups)} each: opening them takes longer than reading",
            "write them anew with 50,000 rows or more each",
        )
    if _is_slow(data) and not _is_small(data):
        yield Problem(
            "row_groups",
            f"{data.path} is read at {size_text(int(data.bytes_per_s or 0))}/s, "
            f"{data.rows_per_s or 0:,.0f} rows/s, by one thread",
            "put it on faster storage or a local disk, or raise data_config.num_workers",
        )


def _is_slow(data: DataFacts) -> bool:
    if data.bytes_per_s is None or data.rows_per_s is None:
        return False
    return data.bytes_per_s < _SLOW_BYTES_PER_S and data.rows_per_s < _SLOW_ROWS_PER_S


def _is_small(data: DataFacts) -> bool:
    groups = max(1, len(data.row_group_rows))
    rows = median(data.row_group_rows) if data.row_group_rows else 0
    return rows < _SMALL_ROWS and data.file_bytes / groups < _SMALL_BYTES
