"""Rows with sequences: cut, joined, packed into one memory, and left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from google.protobuf import text_format

from raymon.data import Batch, Columns, DataReader, Feature, build_features
from raymon.data.batch_layout import BatchLayout
from raymon.data.input_counts import InputCounts
from raymon.data.reading.converter import Converter, Origin
from raymon.data.reading.packed_rows import PackedRows, join_rows
from raymon.errors import DataError
from raymon.protos.pipeline_pb2 import PipelineConfig

CONFIG = """train_input_path: "" model_dir: ""
  feature_configs { id_feature { feature_name: "u" expression: "user:u" num_buckets: 9
    embedding_dim: 2 } }
  feature_configs { sequence_feature { sequence_name: "s"
    features { id_feature { feature_name: "i" expression: "item:i" num_buckets: 9
      embedding_dim: 2 } }
    features { id_feature { feature_name: "t" expression: "item:t" num_buckets: 9 value_dim: 0
      embedding_dim: 2 } }
    features { raw_feature { feature_name: "n" expression: "item:n" value_dim: 2 } } } }
  feature_configs { sequence_raw_feature { feature_name: "p" expression: "user:p" } }"""
LENGTHS = [2, 1, 3, 1, 4, 2]


def features() -> list[Feature]:
    return build_features(text_format.Parse(CONFIG, PipelineConfig()).feature_configs)


def table() -> pa.Table:
    rng = np.random.default_rng(0)
    positions = [list(rng.integers(0, 9, length)) for length in LENGTHS]
    return pa.table(
        {
            "u": [1, 2, 3, 4, 5, 6],
            "s__i": positions,
            "s__t": [";".join("\x1d".join("12"[: i % 3]) for i in row) for row in positions],
            "s__n": [[[float(i), 0.5] for i in row] for row in positions],
            "p": [list(rng.random(length)) for length in LENGTHS],
        }
    )


def converted(rows: pa.Table) -> PackedRows:
    return Converter(Columns(features(), {}), InputCounts()).convert(rows, Origin("here", 10))


def same(one: Batch, other: Batch) -> bool:
    names = list(one.sequences) == list(other.sequences) == ["s__i", "s__t", "s__n", "p"]
    return names and all(
        own.longest == theirs.longest
        and len(own.tensors()) == len(theirs.tensors())
        and all(map(torch.equal, own.tensors(), theirs.tensors()))
        for own, theirs in zip(one.sequences.values(), other.sequences.values(), strict=True)
    )


def test_parts_of_rows_join_to_the_rows_in_one_memory() -> None:
    whole = converted(table())
    pieces = [whole.slice(0, 2), whole.slice(2, 2), whole.slice(2, 5), whole.take(np.array([5]))]
    batch = join_rows(pieces).to_batch()
    assert same(batch, whole.to_batch())
    memory = {t.untyped_storage().data_ptr() for s in batch.sequences.values() for t in s.tensors()}
    assert len(memory) == 1


def test_rows_that_are_left_out_have_no_positions() -> None:
    whole, places = converted(table()), converted(table()).places
    batch = join_rows([whole.slice(0, 2), places.gap(3), whole.slice(2, 6)]).to_batch()
    assert same(batch, whole.to_batch())
    alone = places.gap(2).to_batch()
    assert [each.count for each in alone.sequences.values()] == [0, 0, 0, 0]


def test_a_packed_batch_and_one_without_rows_have_all_sequences() -> None:
    batch = converted(table()).to_batch()
    layout = BatchLayout.of(batch)
    buffer = torch.empty(layout.nbytes, dtype=torch.uint8)
    layout.pack(batch, buffer)
    assert same(layout.views(buffer), batch)
    empty = batch.without_rows()
    assert [len(each.offsets) + each.count for each in empty.sequences.values()] == [0, 0, 0, 0]
    assert same(batch.to(torch.device("cpu")), batch)
    assert batch.nbytes > empty.nbytes


def test_sequences_of_unequal_lengths_are_told_with_their_row(tmp_path: Path) -> None:
    rows = table().drop_columns("p").append_column("p", pa.array([[1.0]] * 6))
    pq.write_table(rows, tmp_path / "a.parquet")
    columns = Columns(features(), {}, alike=[["u", "s__i", "p"]])
    reader = DataReader(str(tmp_path / "a.parquet"), columns, batch_size=4)
    message = (
        r"a.parquet: feature p, row 0: has 1 positions, and s__i 2; features of one sequence must "
        "have equally many"
    )
    with pytest.raises(DataError, match=message):
        next(iter(reader.epoch(0)))
