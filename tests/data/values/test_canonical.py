"""The same value has the same id, whatever type and file it comes from."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv

from raymon.data import Feature, IdList
from raymon.data.values.canonical import canonical_text, canonical_texts, parsed_integers
from raymon.data.values.hashing import hash_integers, hash_strings, hash_values, key_ids
from raymon.data.values.spelled_integers import spelled_integers
from raymon.errors import DataError
from tests.data.features.test_build import features, id_feature, rows

INT64 = st.integers(-(2**63), 2**63 - 1)
FEATURES = [
    id_feature('hash_bucket_size: 100003 default_value: "7"'),
    id_feature('num_buckets: 1000 default_value: "7"'),
    id_feature('vocab_list: ["-3", "0", "7", "999", "18446744073709551615"] default_value: "7"'),
    features(
        'combo_feature { feature_name: "f" expression: ["user:a", "user:b"] embedding_dim: 2 '
        'hash_bucket_size: 100003 default_value: "7" }'
    )[0],
    features(
        'combo_feature { feature_name: "f" expression: ["user:a", "user:b"] embedding_dim: 2 '
        'vocab_list: ["0_0", "7_7", "999_999"] }'
    )[0],
]


def spells(text: str) -> int | None:
    """Returns the integer that a text spells, by Python."""
    if text.lower() in ("true", "false") and text in (text.lower(), text.title(), text.upper()):
        return int(text.lower() == "true")
    whole = text.removesuffix(".0")
    try:
        value = int(whole) if whole.isascii() and "_" not in whole else None
    except ValueError:
        return None
    if value is None or not -(2**63) <= value < 2**63:
        return None
    return value if str(value) == whole or (whole, text) == ("-0", "-0.0") else None


def representations(values: list[int | None]) -> dict[str, pa.Array]:
    """Returns columns of the same integers."""
    texts = pa.array([None if v is None else str(v) for v in values], pa.string())
    result = {
        "string": texts,
        "large_string": texts.cast(pa.large_string()),
        "string_view": texts.cast(pa.string_view()),
        "dictionary": texts.dictionary_encode(),
        "sliced": pa.concat_arrays([pa.array(["x", None]), texts]).slice(2),
        "decimal": pa.array(
            [None if v is None else decimal.Decimal(v) for v in values], pa.decimal128(38, 0)
        ),
    }
    known = [v for v in values if v is not None] or [0]
    low, high = min(known), max(known)
    for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64()):
        if -(2 ** (kind.bit_width - 1)) <= low and high < 2 ** (kind.bit_width - 1):
            result[str(kind)] = pa.array(values, kind)
    for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()):
        if low >= 0 and high < 2**kind.bit_width:
            result[str(kind)] = pa.array(values, kind)
    for kind, limit in ((pa.float32(), 2**24), (pa.float64(), 2**53)):
        if max(abs(low), abs(high)) < limit:
            reals = [np.nan if v is None else float(v) for v in values]
            result[str(kind)] = pa.array(reals, kind)
            result[f"{kind} as text"] = pa.array(
                [None if v is None else f"{v}.0" for v in values], pa.string()
            )
    if set(values) <= {0, 1, None}:
        result["bool"] = pa.array([None if v is None else bool(v) for v in values], pa.bool_())
        result["text of bool"] = pa.array(
            [None if v is None else str(bool(v)) for v in values], pa.string()
        )
    if low >= -(2**63) and high < 2**63:
        result["pandas"] = pa.array(pd.Series(values, dtype=object))
    return result


def ids_of(feature: Feature, column: pa.Array) -> list[list[int]]:
    ids = feature.convert(*[column] * len(feature.columns))
    assert isinstance(ids, IdList)
    return rows(ids, len(column))


COLUMNS = st.one_of(
    st.lists(st.none() | st.integers(0, 1), max_size=6),
    st.lists(st.none() | st.integers(-130, 1100), max_size=8),
    st.lists(st.none() | INT64, max_size=6),
    st.lists(st.none() | st.integers(0, 2**64 - 1), max_size=6),
    st.lists(st.none() | st.sampled_from([2**53 - 1, -(2**53) + 1, 2**63, 10**19, 0]), max_size=4),
)


@settings(max_examples=30)
@given(COLUMNS)
def test_every_representation_of_integers_has_the_same_ids(values: list[int | None]) -> None:
    columns = representations(values)
    for feature in FEATURES:
        expected = ids_of(feature, columns["string"])
        for name, column in columns.items():
            assert feature.accepts(column.type), name
            assert ids_of(feature, column) == expected, name
    keys = key_ids(columns["string"]).tolist()
    for name, column in columns.items():
        assert key_ids(column).tolist() == keys, name


@settings(max_examples=60)
@given(st.lists(st.dates(datetime.date(1600, 1, 1)) | st.none(), min_size=1, max_size=6))
def test_dates_are_the_texts_that_csv_has(days: list[datetime.date | None]) -> None:
    texts = pa.array([None if day is None else day.isoformat() for day in days], pa.string())
    for feature in (FEATURES[0], FEATURES[3]):
        for kind in (pa.date32(), pa.date64()):
            assert ids_of(feature, pa.array(days, kind)) == ids_of(feature, texts)


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=24),
    st.text("-0123456789.+ eE_", max_size=24),
    INT64.map(str),
    st.integers(-(2**64), 2**65).map(str),
    st.integers(-(2**64), 2**65).map("{}.0".format),
    st.sampled_from(["true", "True", "TRUE", "tRUE", "false", "False", "FALSE", "truE", "0true"]),
    st.sampled_from(["-0", "-0.0", "0.0", "00", "007", "-", ".0", "-.0", "0.", "1.00", "+7", " 7"]),
)


@settings(max_examples=300)
@given(st.lists(TEXTS, max_size=12), st.integers(0, 3))
def test_texts_are_the_integers_that_they_spell_or_themselves(
    texts: list[str], skipped: int
) -> None:
    expected = [spells(text) for text in texts]
    column = pa.array(["9"] * skipped + texts, pa.string()).slice(skipped)
    for kind in (pa.string(), pa.large_string()):
        found, integers = spelled_integers(column.cast(kind))
        assert found.tolist() == [i for i, value in enumerate(expected) if value is not None]
        assert integers.tolist() == [value for value in expected if value is not None]
    hashes = [
        int((hash_strings(pa.array([t])) if v is None else hash_integers(np.array([v])))[0])
        for t, v in zip(texts, expected, strict=True)
    ]
    assert hash_values(column).tolist() == hashes
    spelled = [t if v is None else str(v) for t, v in zip(texts, expected, strict=True)]
    assert canonical_texts(column).to_pylist() == spelled
    assert [canonical_text(text) for text in texts] == spelled


def test_texts_with_zeros_in_front_are_other_values_but_the_same_bucket() -> None:
    assert len(set(hash_values(pa.array(["00123", "0123", "123"])).tolist())) == 3
    for text, expected in (
        ("00123", 123),
        ("-007", -7),
        ("x", -(2**63)),
        ("0" * 30 + "123", 123),
        ("9" * 5000, 2**63 - 1),
        ("-" + "9" * 20, -(2**63) + 1),
    ):
        assert parsed_integers(pa.array([text])).tolist() == [expected]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1.0, 1.5]), "1.5 is not whole"),
        (pa.array([float("inf")]), "inf is not whole"),
        (pa.array([2.0**53]), "9007199254740992.0 is not exact in a column of double"),
        (pa.array([2.0**24], pa.float32()), "16777216.0 is not exact in a column of float"),
        (pa.array([decimal.Decimal("2.50")], pa.decimal128(9, 2)), "2.50 is not whole"),
    ],
)
def test_a_value_whose_form_is_not_certain_is_refused(column: pa.Array, message: str) -> None:
    for feature in (FEATURES[0], FEATURES[3]):
        with pytest.raises(DataError, match=f"feature f, column .*: value {message}"):
            feature.convert(*[column] * len(feature.columns))
    with pytest.raises(ValueError, match=message):
        key_ids(column)


def test_other_types_are_refused() -> None:
    for kind in (pa.timestamp("s"), pa.time32("s"), pa.duration("s"), pa.binary(), pa.struct([])):
        assert not any(feature.accepts(kind) for feature in FEATURES)


def test_what_pandas_writes_as_csv_has_the_ids_of_its_frame(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"a": [1, None, 3], "b": [True, False, True], "c": pd.to_datetime(["2024-01-31"] * 3)}
    )
    frame["c"] = frame["c"].dt.date
    frame.to_csv(tmp_path / "a.csv", index=False)
    options = csv.ConvertOptions(
        column_types={name: pa.string() for name in frame}, strings_can_be_null=True
    )
    table, own = csv.read_csv(tmp_path / "a.csv", convert_options=options), pa.table(frame)
    for name in frame:
        given: list[Any] = [
            ids_of(FEATURES[0], pa.concat_arrays(t[name].chunks)) for t in (table, own)
        ]
        assert given[0] == given[1], name
