"""Values as users give them in Python.

They have the ids of the same values in a file, or one line says what is wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from raymon.data import Batch, Columns, DatasetReader, LabelKind
from raymon.errors import DataError
from tests.data.features.test_build import features, rows

FEATURES = features(
    'id_feature { feature_name: "user" expression: "user:user" hash_bucket_size: 1000 '
    "embedding_dim: 2 }",
    'raw_feature { feature_name: "price" expression: "item:price" }',
)
PRICES, CLICKS = [0.5, 1.0, 2.0, 3.0], [0, 1, 0, 1]
NAN = float("nan")


def batch_of(*pieces: Any, label_map: dict[str, float] | None = None) -> Batch:
    columns = Columns(FEATURES, {"click": LabelKind.BINARY}, label_map=label_map or {})
    reader = DatasetReader(list(pieces), columns, name="clicks", batch_size=64, ahead=False)
    first, _ = reader.epoch(0)
    return first


def whole(**columns: Any) -> dict[str, Any]:
    return {"price": PRICES, "click": CLICKS, **columns}


USERS = {
    "list": ["1", "2", None, "u"],
    "NaN among strings": ["1", "2", NAN, "u"],
    "mixed": [1, "2", NAN, "u"],
    "floats and strings": [1.0, np.int64(2), None, "u"],
    "pandas": pd.Series([1, "2", pd.NA, "u"], dtype=object),
    "categories": pd.Series(pd.Categorical(["1", "2", None, "u"])),
    "string dtype": pd.Series(["1", "2", None, "u"], dtype="string"),
    "numpy": np.array(["1", "2", "", "u"]),
    "objects": np.array([1, "2", NAN, "u"], object),
    "views": pa.array(["1", "2", None, "u"], pa.string_view()),
    "lists": [["1"], ["2"], [], ["u"]],
}


@pytest.mark.parametrize("kind", USERS)
@pytest.mark.parametrize("as_frame", [False, True])
def test_ids_are_those_of_the_same_values(kind: str, as_frame: bool) -> None:
    given = whole(user=USERS[kind], unused=[object(), 1, "a", None])
    if as_frame:
        given["user"] = given["user"].to_pylist() if kind == "views" else given["user"]
        given = pd.DataFrame(given)
    batch = batch_of(given)
    expected = FEATURES[0].convert(pa.array(["1", "2", None, "u"]))
    assert rows(batch.sparse["user"], 4) == rows(expected, 4)
    assert batch.dense["price"][:, 0].tolist() == PRICES


def test_rows_and_pieces_may_differ_in_their_types() -> None:
    pieces = [
        {"user": "1", "price": 0.5, "click": 0},
        {"user": 2, "price": None, "click": 1},
        {"user": NAN, "price": np.float32(2), "click": np.int64(1)},
        {"user": torch.tensor(4), "price": torch.tensor(1.0), "click": torch.tensor(0)},
        pa.table({"user": [5.0, 6.0], "price": [1, 2], "click": [0, 1]}),
        pa.table({"user": ["7"], "price": [1.5], "click": [0]}),
    ]
    expected = FEATURES[0].convert(pa.array([1, 2, None, 4, 5, 6, 7]))
    assert rows(batch_of(*pieces).sparse["user"], 7) == rows(expected, 7)


def test_tensors_of_any_kind_are_columns() -> None:
    ragged = [torch.tensor([1]), torch.tensor([1, 2]), torch.tensor([], dtype=torch.int64)]
    expected = [[1], [1, 2], [], [4]]
    hashed = rows(FEATURES[0].convert(pa.array(expected)), 4)
    for users in ([*ragged, torch.tensor([4])], [np.array(row, np.int64) for row in expected]):
        batch = batch_of(
            whole(user=users, price=torch.tensor(PRICES, dtype=torch.bfloat16, requires_grad=True))
        )
        assert rows(batch.sparse["user"], 4) == hashed
        assert batch.dense["price"][:, 0].tolist() == PRICES


def test_labels_are_booleans_or_strings_of_the_label_map() -> None:
    clicks = [False, True, False, True]
    for labels in (clicks, np.array(clicks), torch.tensor(clicks)):
        assert batch_of(whole(user=[1, 2, 3, 4], click=labels)).labels["click"].tolist() == CLICKS
    texts = ["no", "yes", "no", "yes"]
    mapping = {"yes": 1.0, "no": 0.0}
    batch = batch_of(whole(user=[1, 2, 3, 4], click=texts), label_map=mapping)
    assert batch.labels["click"].tolist() == CLICKS
    with pytest.raises(DataError, match=r"click is string; .* label_map \{ key: \"yes\" value: 1"):
        batch_of(whole(user=[1, 2, 3, 4], click=texts))
    with pytest.raises(DataError, match=r"row 3: value 'maybe'; .*label_map"):
        batch_of(whole(user=[1, 2, 3, 4], click=[*texts[:3], "maybe"]), label_map=mapping)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": [object(), 1, 2, 3]}, "column user: Could not convert <object"),
        ({"user": [[1, "a"], [2], [], None]}, "column user: Could not convert 'a'"),
        ({"user": [b"a", b"b", b"c", b"d"]}, "user is binary; feature user is made from integers"),
        ({"user": pd.to_datetime(["2024-01-31"] * 4)}, "make it a date, an integer or a string"),
        ({"user": [1.5, 2, 3, 4]}, "feature user, column user: value 1.5 is not whole"),
        (
            {"user": [1, 2, 3, 4], "price": ["1", "x", None, "2"]},
            "price: Failed to parse string: 'x'",
        ),
        ({"user": [1, 2, 3, 4], "click": [1, None, 0, 0]}, "row 1: value None; a label must be 0"),
    ],
)
def test_what_has_no_certain_form_is_one_line(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        batch_of(whole(**columns))
    assert str(error.value).startswith("clicks: ")
    assert "\n" not in str(error.value)
