from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from raymon.data import Batch, Columns, DataReader, LabelKind
from raymon.data.batch_layout import BatchLayout
from raymon.errors import ConfigError, DataError
from tests.data.sampling.tables import ATTRIBUTES, features, sampler_of, write


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """Items 0 to 99: item i weighs i, has two kinds, and costs i / 10."""
    ids = np.arange(100)
    return write(
        tmp_path / "items.parquet",
        item=ids,
        weight=ids.astype(np.float64),
        kinds=[f"{i % 7}|{i % 5}" for i in ids],
        price=ids / 10,
    )


@pytest.fixture
def chosen(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    item = rng.integers(0, 100, 60)
    return write(
        tmp_path / "chosen.parquet",
        user=rng.integers(0, 50, 60),
        item=item,
        kinds=[f"{i % 7}|{i % 5}" for i in item],
        price=item / 10,
        y=np.ones(60),
    )


def batches(
    chosen: Path, text: str, keys: list[str], epoch: int = 0, row: int = 0, **more: Any
) -> list[Batch]:
    columns = Columns(features(), {"y": LabelKind.REAL}, keys=keys)
    options: dict[str, Any] = {"batch_size": 16, **more}
    reader = DataReader(str(chosen), columns, sampler=sampler_of(text), **options)
    return list(reader.epoch(epoch, row))


def items_of(batch: Batch) -> list[int]:
    assert batch.candidates is not None
    return batch.candidates.items.sparse["item"].values.tolist()


def test_candidates_are_the_items_of_the_rows_then_others_with_their_features(
    items: Path, chosen: Path
) -> None:
    for batch in batches(
        chosen, f'negative_sampler {{ input_path: "{items}" {ATTRIBUTES} }}', ["item"]
    ):
        assert batch.candidates is not None
        found, drawn = batch.candidates.items, items_of(batch)
        own = batch.sparse["item"].values.tolist()
        assert drawn[: batch.size] == own
        assert len(drawn) == batch.size + 6 == found.size
        assert not set(drawn[batch.size :]) & set(own)
        assert found.dense["price"][:, 0].tolist() == pytest.approx([i / 10 for i in drawn])
        kinds = found.sparse["kinds"]
        assert kinds.values.tolist() == [k for i in drawn for k in (i % 7, i % 5)]
        assert set(found.sparse) == {"item", "kinds"}
        assert batch.candidates.hard is None


def test_draws_are_the_same_after_a_resume_and_differ_between_batches_epochs_and_seeds(
    items: Path, chosen: Path
) -> None:
    text = f'negative_sampler {{ input_path: "{items}" {ATTRIBUTES} }}'
    whole = list(map(items_of, batches(chosen, text, ["item"])))
    resumed = list(map(items_of, batches(chosen, text, ["item"], row=32, num_workers=2)))
    assert resumed == whole[2:]
    other = list(map(items_of, batches(chosen, text, ["item"], epoch=1)))
    drawn = [tuple(found[-6:]) for found in [*whole, *other]]
    assert len(set(drawn)) == len(drawn)


def test_workers_of_a_global_batch_share_the_negatives_of_one(items: Path, chosen: Path) -> None:
    text = f'negative_sampler {{ input_path: "{items}" {ATTRIBUTES} }}'
    by_rank = [
        [
            items_of(batch)[batch.size :]
            for batch in batches(
                chosen, text, ["item"], global_batch_size=16, rank=rank, world_size=2
            )
        ]
        for rank in range(2)
    ]
    equal = [
        a == b
        for left, right in zip(*by_rank, strict=True)
        for a, b in zip(left, right, strict=True)
    ]
    # Where they differ, one has an item among its own rows.
    assert np.mean(equal) > 0.5
    alone = [
        [items_of(batch)[-6:] for batch in batches(chosen, text, ["item"], rank=r, world_size=2)]
        for r in range(2)
    ]
    assert alone[0] != alone[1]


def test_items_with_an_edge_to_a_user_of_the_batch_are_no_negatives(
    items: Path, chosen: Path, tmp_path: Path
) -> None:
    users, there = np.repeat(np.arange(50), 2), np.arange(100)
    edges = write(tmp_path / "edges.parquet", userid=users, itemid=there, weight=np.ones(100))
    text = f"""negative_sampler_v2 {{ item_input_path: "{items}" pos_edge_input_path: "{edges}"
      user_id_field: "user" {ATTRIBUTES} }}"""
    for batch in batches(chosen, text, ["item", "user"]):
        of_users = {2 * u + k for u in batch.sparse["user"].values.tolist() for k in (0, 1)}
        assert not set(items_of(batch)[batch.size :]) & of_users


@pytest.mark.parametrize("most", [0, 3])
@pytest.mark.parametrize("kind", ["hard_negative_sampler", "hard_negative_sampler_v2"])
def test_hard_negatives_are_of_edges_of_their_row_and_each_comes_once(
    items: Path, chosen: Path, tmp_path: Path, kind: str, most: int
) -> None:
    # User u has edges to items u, u + 1, ... of which some weigh nothing; users from 40 on none.
    users = np.repeat(np.arange(40), 5)
    there = users + np.tile(np.arange(5), 40)
    weight = np.tile([1, 2, 0, 3, 4.0], 40)
    hard = write(tmp_path / "hard.parquet", userid=users, itemid=there, weight=weight)
    positive = f'pos_edge_input_path: "{hard}"' if kind.endswith("v2") else ""
    number = f"num_hard_sample: {most}" if most else ""
    text = f"""{kind} {{ item_input_path: "{items}" hard_neg_edge_input_path: "{hard}" {positive}
      user_id_field: "user" {number} {ATTRIBUTES} }}"""
    seen = 0
    for batch in batches(chosen, text, ["item", "user"]):
        candidates = batch.candidates
        assert candidates is not None
        assert candidates.hard is not None
        rows, places = candidates.hard.tolist()
        drawn = items_of(batch)[batch.size + 6 :]
        assert len(drawn) == len(rows)
        by_row: dict[int, list[int]] = {}
        for row, place, item in zip(rows, places, drawn, strict=True):
            assert place == len(by_row.setdefault(row, []))
            by_row[row].append(item)
        users_of, own = batch.sparse["user"].values.tolist(), batch.sparse["item"].values.tolist()
        for row, user in enumerate(users_of):
            right = {user + k for k in (0, 1, 3, 4)} - {own[row]} if user < 40 else set()
            found = by_row.get(row, [])
            assert set(found) <= right
            assert len(set(found)) == len(found) == min(most or 4, len(right))
        assert candidates.places == max(map(len, by_row.values()), default=0)
        seen += len(drawn)
    assert seen > 60


def test_attributes_in_one_string_are_the_same_as_columns(
    items: Path, chosen: Path, tmp_path: Path
) -> None:
    text = tmp_path / "items"
    rows = [f"{i}\t{i}\t{i}#{i % 7}|{i % 5}#{i / 10}" for i in range(100)]
    text.write_text("\n".join(["id:int64\tweight:float\tattrs:string", *rows]) + "\n")
    given = f'negative_sampler {{ input_path: "{items}" {ATTRIBUTES} }}'
    joined = given.replace(str(items), str(text)).replace(
        "num_sample", 'attr_delimiter: "#" num_sample'
    )
    for one, other in zip(
        batches(chosen, given, ["item"]), batches(chosen, joined, ["item"]), strict=True
    ):
        assert one.candidates is not None
        assert other.candidates is not None
        assert items_of(one) == items_of(other)
        left, right = one.candidates.items, other.candidates.items
        assert left.sparse["kinds"].values.tolist() == right.sparse["kinds"].values.tolist()
        torch.testing.assert_close(left.dense, right.dense)


def test_a_batch_and_its_candidates_lie_in_one_memory(items: Path, chosen: Path) -> None:
    hard = write(chosen.parent / "hard.parquet", u=[3, 4, 5], i=[1, 2, 3], w=[1.0, 1, 1])
    text = f"""hard_negative_sampler {{ item_input_path: "{items}" user_id_field: "user"
      hard_neg_edge_input_path: "{hard}" num_hard_sample: 3 {ATTRIBUTES} }}"""
    for batch in batches(chosen, text, ["item", "user"], batch_size=60):
        layout = BatchLayout.of(batch)
        memory = torch.zeros(layout.nbytes, dtype=torch.uint8)
        layout.pack(batch, memory)
        copy = layout.views(memory)
        assert batch.candidates is not None
        assert copy.candidates is not None
        assert copy.candidates.hard is not None
        assert items_of(copy) == items_of(batch)
        torch.testing.assert_close(copy.candidates.hard, batch.candidates.hard)
        torch.testing.assert_close(copy.candidates.items.dense, batch.candidates.items.dense)
        assert copy.candidates.places == batch.candidates.places > 0
        assert copy.keys.keys() == batch.keys.keys()
        empty = copy.without_rows()
        assert empty.candidates is not None
        assert empty.candidates.items.size == 0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": [], "weight": [], "attrs": []}, "has no items; negatives are drawn from some"),
        ({"id": [1], "weight": [-1.0], "attrs": ["1:2:3"]}, "row 0: weight is -1.0; a weight must"),
        (
            {"id": [1, 2], "weight": [1.0, float("nan")], "attrs": ["1:2:3"] * 2},
            "row 1: weight is nan",
        ),
        ({"id": [1], "weight": [0.0], "attrs": ["1:2:3"]}, "no item has a weight above 0"),
        ({"id": [1], "weight": [1.0], "attrs": ["1:2"]}, "row 0: has 2 attributes between ':'"),
        (
            {"id": [1], "weight": [1.0]},
            "has no column item of data_config.negative_sampler.attr_fields",
        ),
        ({"id": [1], "weight": [1.0], "attrs": ["1:2:x"]}, "attribute price: "),
        ({"id": [None, 1], "weight": [1.0, 1], "attrs": ["1:2:3"] * 2}, "row 0: has no id"),
    ],
)
def test_a_wrong_table_of_items_is_told_in_one_line(
    tmp_path: Path, columns: dict[str, list[object]], message: str
) -> None:
    path = tmp_path / "wrong.parquet"
    types = {"id": pa.int64(), "weight": pa.float64(), "attrs": pa.string()}
    pq.write_table(pa.table({n: pa.array(v, types[n]) for n, v in columns.items()}), path)
    with pytest.raises(ConfigError) as raised:
        sampler_of(f'negative_sampler {{ input_path: "{path}" {ATTRIBUTES} }}')
    assert str(raised.value).startswith(f"data_config.negative_sampler.input_path: {path}: ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_batch_of_all_items_has_no_negatives_and_says_so(chosen: Path, tmp_path: Path) -> None:
    few = write(tmp_path / "few.parquet", id=[1, 2], weight=[1.0, 0], attrs=["1:2:3", "2:2:3"])
    rows = pq.read_table(chosen).slice(0, 2)
    one = rows.set_column(1, "item", pa.array([1, 1]))
    pq.write_table(one, tmp_path / "one.parquet")
    text = f'negative_sampler {{ input_path: "{few}" {ATTRIBUTES} }}'
    with pytest.raises(DataError, match="none is left as a negative; make"):
        batches(tmp_path / "one.parquet", text, ["item"])


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ({"u": [], "i": [], "w": []}, "has no edges"),
        ({"u": [1], "i": [500], "w": [1.0]}, "has no edge to an item of the table of items"),
        ({"u": [1], "i": [3], "w": [-1.0]}, "row 0: weight is -1.0; a weight must be finite"),
        ({"u": [1]}, "has the column u alone; edges are users, items and weights"),
        ({"u": [1], "i": [None], "w": [1.0]}, "row 0: has no i"),
    ],
)
def test_a_wrong_table_of_edges_is_told_in_one_line(
    items: Path, tmp_path: Path, edges: dict[str, list[object]], message: str
) -> None:
    types = {"u": pa.int64(), "i": pa.int64(), "w": pa.float64()}
    path = write(tmp_path / "edges.parquet", **{n: pa.array(v, types[n]) for n, v in edges.items()})
    text = f"""hard_negative_sampler {{ item_input_path: "{items}" user_id_field: "user"
      hard_neg_edge_input_path: "{path}" num_hard_sample: 3 {ATTRIBUTES} }}"""
    with pytest.raises(ConfigError) as raised:
        sampler_of(text)
    place = f"data_config.hard_negative_sampler.hard_neg_edge_input_path: {path}: "
    assert str(raised.value).startswith(place + message)


def test_a_table_that_is_not_there_is_told_with_its_field(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^data_config.negative_sampler.input_path: .*none: "):
        sampler_of(f'negative_sampler {{ input_path: "{tmp_path}/none" {ATTRIBUTES} }}')
