"""The figures of tables, from the sketches of their lookups."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from raymon.embeddings.health.distinct_rows import distinct_rows
from raymon.embeddings.health.frequent_rows import top10_shares
from raymon.embeddings.health.row_norms import mean_row_norms
from raymon.results import TableHealth
from raymon.wire import OCCUPIED_ROWS, TableSketches, TableSpec


def table_health(
    sketches: TableSketches, touched: NDArray[np.uint8] | None
) -> dict[str, TableHealth]:
    """Returns the health of each table, by name.

    Args:
        sketches: Lookups of some steps, of all ranks.
        touched: Bits of the rows that were looked up since the run began, at the places of the
            sketches; None if these are not known.
    """
    layout = sketches.layout
    ever = [math.nan] * len(layout.tables)
    if touched is not None:
        ever = [float(rows) for rows in distinct_rows(layout, touched)]
    found = {}
    if sketches.incomplete:
        for table in layout.tables:
            found[table.name] = TableHealth(table.rows, counts=_counts(sketches, table))
    else:
        distinct = distinct_rows(layout, sketches.touched)
        shares = top10_shares(layout, sketches.bucket_lookups, sketches.lookups)
        norms = mean_row_norms(layout, sketches.row_norms)
        for i, table in enumerate(layout.tables):
            found[table.name] = TableHealth(
                rows=table.rows,
                lookups=int(sketches.lookups[i]),
                distinct_rows=int(distinct[i]),
                touched_share=ever[i] / table.rows,
                top10_share=shares[i],
                mean_row_norm=norms[i],
                collision_share=collision_share(table, ever[i]),
                counts=_counts(sketches, table),
            )
    return found


def collision_share(table: TableSpec, touched_rows: float) -> float:
    """Returns the expected share of ids that share their row with another id.

    An id shares its row with at least one of n - 1 others with 1 - (1 - 1/m)^(n - 1), for m rows.
    The number n of ids is not known; the number of rows that it is expected to touch is
    m (1 - (1 - 1/m)^n), and with those that are touched in its place the share becomes
    (touched - 1) / (m - 1).

    Args:
        table: The table.
        touched_rows: Rows that were looked up since the run began; NaN if not known.
    """
    if not table.is_hashed or math.isnan(touched_rows):
        return math.nan
    return max(0.0, touched_rows - 1) / (table.rows - 1) if table.rows > 1 else math.nan


def _counts(sketches: TableSketches, table: TableSpec) -> dict[str, float]:
    found: dict[str, float] = {}
    for (of_table, name), number in {**sketches.counts, **sketches.levels}.items():
        if of_table == table.name and name == OCCUPIED_ROWS:
            # One row is for all ids without a row of their own.
            found["occupancy"] = number / (table.rows - 1)
        elif of_table == table.name:
            found[name] = number
    return found
