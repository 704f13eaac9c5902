"""Measures the training data: its row groups, and how fast they are read."""

from __future__ import annotations

import time

from raymon.config import skips_bad_files
from raymon.data import Feature, format_of, open_table
from raymon.protos.data_pb2 import DatasetType
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.doctor.facts import DataFacts
from raymon.training.input.readers import columns_of

_MOST_S = 2.0
_CHUNK_ROWS = 65_536


def data_facts(config: PipelineConfig, features: list[Feature]) -> DataFacts | None:
    """Returns the facts of the training files; None if there are none.

    Row groups are read for two seconds at most, but for one piece of a row group.

    Args:
        config: Config with absolute paths.
        features: Its features.

    Raises:
        DataError: A file cannot be opened or read.
    """
    if not config.train_input_path:
        return None
    columns, data = columns_of(config, features), config.data_config
    skipped: list[str] | None = [] if skips_bad_files(config) else None
    files = open_table(config.train_input_path, columns, format_of(data), skipped)
    row_groups = [rows for file in files for rows in file.row_group_rows if rows]
    total_bytes = sum(file.found.version[0] for file in files)
    rows, begun = 0, time.perf_counter()
    needed = columns.names
    for file, index in [(f, i) for f in files for i in range(len(f.row_group_rows))]:
        stop = file.row_group_rows[index]
        for _, table in file.read(index, 0, stop, needed, (), _CHUNK_ROWS):
            rows += table.num_rows
            if time.perf_counter() - begun > _MOST_S:
                break
        if time.perf_counter() - begun > _MOST_S:
            break
    seconds = time.perf_counter() - begun
    workers = max(1, config.ray_config.num_workers)
    streams = data.num_streams if data.global_batch_size else workers
    if data.dataset_type == DatasetType.RayDataset:
        streams = 1
    share = rows / max(1, sum(row_groups))
    return DataFacts(
        config.train_input_path,
        row_groups,
        total_bytes,
        max(streams, 1),
        rows / seconds if rows else None,
        share * total_bytes / seconds if rows else None,
    )
