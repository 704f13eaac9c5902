"""Reads a data set in one way, in a process of its own, and prints what that took as JSON."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf import text_format
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from benchmarks.inputs.criteo_like import CATEGORIES, LABEL, NUMBERS
from raymon.config import load
from raymon.data import Columns, DataReader, Feature, IdList, LabelKind, build_features
from raymon.protos.feature_pb2 import FeatureConfig

BATCH = 8_192
PYARROW, GLOBAL = "pyarrow iter_batches alone", "raymon, global batches"
SHUFFLED = "raymon, global batches, shuffled"
Figure = TypeVar("Figure")
_KUAIRAND = Path(__file__).parents[2] / "raymon" / "examples" / "kuairand.config"


@dataclass(frozen=True)
class Source:
    """A data set, and the features that are made of it.

    Attributes:
        path: Directory of the files.
        features: Features that are made.
        label: Name of the label's column.
    """

    path: str
    features: list[Feature]
    label: str

    @property
    def files(self) -> list[Path]:
        """The files of the data set."""
        return sorted(Path(self.path).rglob("*.parquet"))

    @property
    def columns(self) -> list[str]:
        """The columns that are needed."""
        return [*dict.fromkeys(f.column for f in self.features), self.label]

    def convert(self, table: pa.Table) -> dict[str, Any]:
        """Returns the features of some rows, made by raymon's own code."""
        return {f.name: f.convert(table[f.column]) for f in self.features}


def criteo_like(path: str) -> Source:
    """Returns the source with the logarithm of each number, and the hash of each category."""
    texts = [
        f'raw_feature {{ feature_name: "{name}" expression: "user:{name}" '
        'normalizer: "method=expression,expr=log1p(x)" }'
        for name in NUMBERS
    ] + [
        f'id_feature {{ feature_name: "{name}" expression: "user:{name}" embedding_dim: 8 '
        "hash_bucket_size: 100000 }"
        for name in CATEGORIES
    ]
    features = [text_format.Parse(text, FeatureConfig()) for text in texts]
    return Source(path, build_features(features), LABEL)


def kuairand(path: str) -> Source:
    """Returns the source with the features of the example config."""
    return Source(path, build_features(load(_KUAIRAND).feature_configs), "is_click")


_READERS: dict[str, DataReader] = {}


def pyarrow_alone(source: Source) -> int:
    """Decodes the columns, without making features."""
    rows = 0
    for file in source.files:
        for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=source.columns):
            rows += len(batch)
    return rows


def raymon(source: Source, **options: Any) -> int:
    """Reads with raymon's reader, with the default number of threads of a config.

    There is one reader for all epochs, as in a run.
    """
    if source.path not in _READERS:
        _READERS[source.path] = DataReader(
            source.path,
            Columns(source.features, {source.label: LabelKind.BINARY}),
            batch_size=BATCH,
            num_workers=8,
            **options,
        )
    return sum(batch.size for batch in _READERS[source.path].epoch(0))


def torch_data_loader(source: Source) -> int:
    """Reads in two processes, each with every second file, which send tensors."""

    class Rows(IterableDataset[Any]):
        def __iter__(self) -> Iterator[Any]:
            worker = get_worker_info()
            assert worker is not None
            for file in source.files[worker.id :: worker.num_workers]:
                for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=source.columns):
                    table = pa.Table.from_batches([batch])
                    yield (
                        {
                            name: value.values if isinstance(value, IdList) else value
                            for name, value in source.convert(table).items()
                        },
                        len(table),
                    )

    loader = DataLoader(Rows(), batch_size=None, num_workers=2)
    return sum(rows for _, rows in loader)


def ray_data(source: Source) -> int:
    """Makes features in `map_batches`, as arrays that have the length of the batch."""
    import ray.data

    def convert(table: pa.Table) -> dict[str, np.ndarray[Any, Any]]:
        columns = {}
        for name, value in source.convert(table).items():
            array = value.values.numpy() if isinstance(value, IdList) else value.numpy()
            columns[name] = (
                array[: len(table)] if len(array) >= len(table) else np.resize(array, len(table))
            )
        return {**columns, source.label: table[source.label].to_numpy()}

    data = ray.data.read_parquet([str(file) for file in source.files], columns=source.columns)
    data = data.map_batches(convert, batch_format="pyarrow", batch_size=BATCH)
    return sum(len(batch[source.label]) for batch in data.iter_torch_batches(batch_size=BATCH))


CONTENDERS: dict[str, Callable[[Source], int]] = {
    PYARROW: pyarrow_alone,
    "raymon": raymon,
    GLOBAL: lambda source: raymon(source, global_batch_size=BATCH),
    SHUFFLED: lambda source: raymon(source, global_batch_size=BATCH, shuffle=True),
    "torch DataLoader, 2 processes": torch_data_loader,
    "ray.data": ray_data,
}
SOURCES: dict[str, Callable[[str], Source]] = {"criteo_like": criteo_like, "kuairand": kuairand}


class _Watch:
    """A watch of the CPU seconds and the memory of this process and all that it started."""

    def __init__(self) -> None:
        self.peak = 0
        self._me = psutil.Process()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Begins to count CPU seconds."""
        self._cpu_before = self._cpu()

    def stop(self) -> float:
        """Returns the CPU seconds since `start`."""
        cpu = self._cpu() - self._cpu_before
        self._stop.set()
        self._thread.join()
        return cpu

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, self.memory())

    def memory(self) -> int:
        """Returns the bytes in memory now; what processes share counts once."""
        return sum(self._of_all(lambda process: int(process.memory_info().rss - _shared(process))))

    def _cpu(self) -> float:
        return sum(self._of_all(lambda process: float(sum(process.cpu_times()[:4]))))

    def _of_all(self, figure: Callable[[psutil.Process], Figure]) -> list[Figure]:
        figures: list[Figure] = []
        for process in [self._me, *self._me.children(recursive=True)]:
            try:
                figures.append(figure(process))
            except psutil.Error:
                continue
        return figures


def _shared(process: psutil.Process) -> int:
    return int(getattr(process.memory_info(), "shared", 0))


def main() -> None:
    """Measures; the arguments are contender, source, path, and epochs, two or more."""
    contender, name, path, epochs = sys.argv[1:]
    source = SOURCES[name](path)
    if contender == "ray.data":
        import ray.data

        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
    watch, rows, memory = _Watch(), 0, []
    for epoch in range(int(epochs)):
        if epoch == 1:
            # The first epoch has what a process does only once, such as loading libraries.
            watch.start()
            rows, began = 0, time.perf_counter()
        rows += CONTENDERS[contender](source)
        memory.append(watch.memory())
    seconds, cpu = time.perf_counter() - began, watch.stop()
    figures = {"rows": rows, "seconds": seconds, "cpu": cpu, "peak": watch.peak}
    print(json.dumps({**figures, "memory": memory}))


if __name__ == "__main__":
    main()
