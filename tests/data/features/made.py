"""Helpers for tests of features that are made of raw columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import torch
from google.protobuf import text_format

from raymon.data import Feature, IdList, build_features
from raymon.data.features.encoding import Encoding
from raymon.protos import feature_pb2


def built(*texts: str, encoding: Encoding | None = None) -> list[Feature]:
    """Returns the features of some blocks."""
    configs = [text_format.Parse(text, feature_pb2.FeatureConfig()) for text in texts]
    return build_features(configs, encoding)


def made(feature: Feature, **columns: Any) -> list[Any]:
    """Returns what is made of each row: its ids as a list, or its number, or numbers as a list."""
    arrays = {
        name: column if isinstance(column, pa.Array) else pa.array(column)
        for name, column in columns.items()
    }
    value = feature.convert(*(arrays[name] for name in feature.columns))
    rows = len(next(iter(arrays.values())))
    if isinstance(value, torch.Tensor):
        assert value.shape == (rows, feature.value_dim)
        return [row[0] if len(row) == 1 else row for row in value.tolist()]
    return ids_of(value, rows)


def ids_of(value: IdList, rows: int) -> list[list[int]]:
    """Returns the ids of each row."""
    ids = value.values.tolist()
    starts = list(range(rows)) if value.offsets is None else value.offsets.tolist()
    assert len(starts) == rows
    return [ids[a:b] for a, b in zip(starts, [*starts[1:], len(ids)], strict=True)]
