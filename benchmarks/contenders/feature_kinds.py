"""What each kind of feature costs a value, beside `id_feature` on values of the same kind.

A value is an item of any column that the feature is made from: an entry of a map, a term of a text,
a number. It runs in one thread, in process, on columns as they come out of Parquet.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pyarrow as pa
from google.protobuf import text_format

from raymon.data import Feature, build_features
from raymon.protos.feature_pb2 import FeatureConfig

ID = "id_feature"
"""The kind that the others are set beside."""

_REPEATS, _ITEMS = 5, 8
_HASHED = "hash_bucket_size: 1000 embedding_dim: 4"
_NUMBERS = " ".join(f"value_map {{ key: '{i}' value: {i} }}" for i in range(100))
KINDS = {
    ID: (f"id_feature {{ expression: 'user:words' {_HASHED} }}", _ITEMS),
    "combo_feature": (f"combo_feature {{ expression: ['user:id', 'user:p'] {_HASHED} }}", 2),
    "lookup_feature of strings": ("lookup_feature { map: 'user:kv' key: 'user:key' }", 9),
    "lookup_feature of maps": ("lookup_feature { map: 'user:maps' key: 'user:key' }", 9),
    "match_feature": (
        "match_feature { nested_map: 'user:kkv' pkey: 'user:p' skey: 'user:key' }",
        10,
    ),
    "expr_feature": (
        "expr_feature { expression: 'a > 0 ? a * b : sigmoid(b)' variables: ['user:a', 'user:b'] }",
        2,
    ),
    "overlap_feature": (
        "overlap_feature { query: 'user:words' title: 'user:title' method: 'query_common_ratio' }",
        2 * _ITEMS,
    ),
    "overlap_feature, proximity": (
        "overlap_feature { query: 'user:words' title: 'user:title' method: 'proximity_min_cover' }",
        2 * _ITEMS,
    ),
    "kv_dot_product": ("kv_dot_product { query: 'user:kv' document: 'user:others' }", 2 * _ITEMS),
    "bool_mask_feature": (
        f"bool_mask_feature {{ expression: ['user:words', 'user:mask'] {_HASHED} }}",
        2 * _ITEMS,
    ),
    "combine_feature": (f"combine_feature {{ expression: 'user:words' {_NUMBERS} }}", _ITEMS),
    "regex_replace_feature": (
        "regex_replace_feature { expression: 'user:id' regex_pattern: '7' replacement: 'x' "
        f"{_HASHED} }}",
        1,
    ),
}
"""A block of each kind, and how many values it is made from in a row."""


def columns(rows: int) -> dict[str, pa.Array]:
    """Returns columns of 8 items a row, and of one."""
    draw = np.random.default_rng(0)
    keys = draw.integers(0, 1000, (rows, _ITEMS))
    entries = [[f"{key}:{key % 97}" for key in row] for row in keys]
    return {
        "id": pa.array(map(str, draw.integers(0, 100_000, rows))),
        "a": pa.array(draw.normal(size=rows)),
        "b": pa.array(draw.normal(size=rows)),
        "p": pa.array(["p"] * rows),
        "key": pa.array([str(row[3]) for row in keys]),
        "words": pa.array(["\x1d".join(map(str, row)) for row in keys]),
        "title": pa.array(
            ["\x1d".join(map(str, row)) for row in draw.integers(0, 1000, (rows, _ITEMS))]
        ),
        "mask": pa.array(["\x1d".join("10" * (_ITEMS // 2))] * rows),
        "kv": pa.array(["\x1d".join(row) for row in entries]),
        "others": pa.array(["\x1d".join(row) for row in entries[::-1]]),
        "maps": pa.array(
            [[tuple(entry.split(":")) for entry in row] for row in entries],
            pa.map_(pa.string(), pa.string()),
        ),
        "kkv": pa.array([f"p^{','.join(row[:4])}|q^{','.join(row[4:])}" for row in entries]),
    }


def nanoseconds(kind: str, data: dict[str, pa.Array]) -> float:
    """Returns what a value costs, in nanoseconds of CPU, in the best of some runs."""
    text, values = KINDS[kind]
    block = text.replace("{", "{ feature_name: 'f'", 1)
    (feature,) = build_features([text_format.Parse(block, FeatureConfig())])
    arguments = [data[column] for column in feature.columns]
    best = min(_seconds(feature, arguments) for _ in range(_REPEATS))
    return best / len(arguments[0]) / values * 1e9


def _seconds(feature: Feature, arguments: list[pa.Array]) -> float:
    begun = time.process_time()
    feature.convert(*arguments)
    return time.process_time() - begun


def main() -> None:
    """Prints the cost of each kind, for a number of rows that is given."""
    data = columns(int(sys.argv[1]))
    print(json.dumps({kind: nanoseconds(kind, data) for kind in KINDS}))


if __name__ == "__main__":
    main()
