"""Rows from `ray.data`, which replaces files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import ray.data
import ray.train

from raymon.data import parquet_paths
from raymon.errors import DataError, first_line
from raymon.protos.data_pb2 import DatasetType
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.input.datasets import EVAL, TRAIN, Datasets, is_ray_dataset
from raymon.training.input.readers import columns_of, features_of


class RayRows:
    """The rows of one rank of a `ray.data.Dataset`, as tables.

    With `data_config.shuffle` rows are shuffled within a buffer of `shuffle_buffer_size` batches,
    in an order that the seed and the epoch determine.

    Args:
        iterator: Iterator over the rows of the rank.
        config: Config of the run.
        shuffle: Whether rows are shuffled if the config says so.
    """

    def __init__(
        self, iterator: ray.data.DataIterator, config: PipelineConfig, shuffle: bool
    ) -> None:
        data = config.data_config
        self._iterator = iterator
        self._seed = config.train_config.seed
        self._epoch = 0
        self._buffer_rows = 0
        if shuffle and data.shuffle:
            self._buffer_rows = data.shuffle_buffer_size * data.batch_size

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch of the next iteration."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[pa.Table]:
        options: dict[str, Any] = {"batch_size": None}
        if self._buffer_rows:
            options = {
                "batch_size": self._buffer_rows,
                "local_shuffle_buffer_size": self._buffer_rows,
                "local_shuffle_seed": self._seed + self._epoch,
            }
        yield from self._iterator.iter_batches(batch_format="pyarrow", **options)


def add_config_files(datasets: Datasets, config: PipelineConfig) -> Datasets:
    """Adds the training files as a `ray.data.Dataset`, if `dataset_type` is RayDataset.

    The evaluation reads its files without `ray.data`: in the same order on any number of workers.
    """
    if config.data_config.dataset_type != DatasetType.RayDataset or TRAIN in datasets:
        return datasets
    columns = columns_of(config, features_of(config)).names
    try:
        files = ray.data.read_parquet(parquet_paths(config.train_input_path))
        return {**datasets, TRAIN: files.select_columns(columns)}
    except (pa.ArrowException, ValueError, OSError) as error:
        # For names with ? in them, and for types that differ in more than their width.
        raise DataError(
            f"{config.train_input_path}: ray.data cannot read it: {first_line(error)}; "
            "data_config.dataset_type: ParquetDataset reads any name, and types that differ"
        ) from None


def rows_of_worker(names: Sequence[str], config: PipelineConfig) -> dict[str, RayRows]:
    """Returns the rows of this worker of Ray Train, by the name of the dataset."""
    return {
        name: RayRows(ray.train.get_dataset_shard(name), config, name != EVAL) for name in names
    }


def in_process(datasets: Datasets, config: PipelineConfig) -> Datasets:
    """Returns the datasets as a single worker in this process reads them."""
    return {
        name: RayRows(data.iterator(), config, name != EVAL) if is_ray_dataset(data) else data
        for name, data in datasets.items()
    }
