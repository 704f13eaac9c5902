"""A click log like the one that Criteo published, with 13 numbers and 26 categories in a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NUMBERS = tuple(f"number_{i}" for i in range(13))
CATEGORIES = tuple(f"category_{i}" for i in range(26))
LABEL = "label"
ROW_GROUP = 50_000
ROWS_A_FILE = 500_000


def generate(directory: Path, rows: int, rows_a_file: int = ROWS_A_FILE) -> None:
    """Writes the Parquet files of the log.

    Categories are strings of 8 hexadecimal digits, with 4 to 500,000 different ones in a column,
    some much more frequent than others. Numbers are skewed and partly null. 3 % of the labels are
    1.

    Args:
        directory: Directory of the files.
        rows: Number of rows.
        rows_a_file: Most rows of a file.
    """
    rng = np.random.default_rng(0)
    sizes = np.geomspace(4, 500_000, len(CATEGORIES)).astype(int)
    words = [pa.array([f"{i * 2654435761 & 0xFFFFFFFF:08x}" for i in range(n)]) for n in sizes]
    for number, begin in enumerate(range(0, rows, rows_a_file)):
        count = min(rows_a_file, rows - begin)
        columns = {LABEL: pa.array((rng.random(count) < 0.03).astype(np.int8))}
        for i, name in enumerate(NUMBERS):
            values = np.floor(rng.lognormal(1, 1.5, count)).astype(np.float32)
            columns[name] = pa.array(values, mask=rng.random(count) < 0.0125 * i)
        for name, size, spelled in zip(CATEGORIES, sizes, words, strict=True):
            ids = np.minimum((size * rng.power(0.3, count)).astype(np.int64), size - 1)
            columns[name] = spelled.take(pa.array(ids))
        path = directory / f"part-{number:05d}.parquet"
        pq.write_table(pa.table(columns), path, row_group_size=ROW_GROUP)
