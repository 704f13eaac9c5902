from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raymon.errors import DataError, UserError
from raymon.serving import exact_search, search_recall

MODULE = sys.modules[exact_search.__module__]


@given(st.integers(0, 7), st.integers(1, 40), st.integers(1, 50), st.integers(1, 9))
def test_a_search_in_blocks_is_a_search_in_all(
    queries: int, items: int, top_k: int, block: int
) -> None:
    generator = torch.Generator().manual_seed(items)
    users = torch.randn(queries, 3, generator=generator)
    vectors = torch.randn(items, 3, generator=generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "_ITEMS", block)
        patch.setattr(MODULE, "_QUERIES", 2)
        scores, found = exact_search(users, vectors, top_k)
    expected = (users @ vectors.T).sort(1, descending=True)
    torch.testing.assert_close(scores, expected.values[:, :top_k])
    torch.testing.assert_close(found, expected.indices[:, :top_k])


def test_recall_is_the_share_of_rows_whose_item_is_near(tmp_path: Path) -> None:
    items = np.eye(4, dtype=np.float32)
    # Row 0 is nearest to its item, row 1 second, and the item of row 2 is not in the table.
    users = np.array([[3, 2, 1, 0], [3, 2, 1, 0], [0, 0, 0, 1]], np.float32)
    for name, vectors, ids in (("item", items, list("abcd")), ("user", users, list("abz"))):
        column = pa.array(list(vectors), pa.list_(pa.float32(), 4))
        pq.write_table(pa.table({f"{name}_tower_emb": column, "id": ids}), tmp_path / name)
    files = str(tmp_path / "user"), str(tmp_path / "item")
    assert search_recall(*files, "id", [1, 2, 4]) == pytest.approx({1: 1 / 3, 2: 2 / 3, 4: 2 / 3})
    assert search_recall(*files, "id", 1) == pytest.approx({1: 1 / 3})
    with pytest.raises(DataError, match="has no column item_tower_emb; it has user_tower_emb, id"):
        search_recall(files[0], files[0], "id", 1)


def test_items_near_to_any_interest_of_a_user_are_found_once(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    items = generator.normal(size=(9, 2)).astype(np.float32)
    users = generator.normal(size=(40, 6)).astype(np.float32)
    own = generator.integers(0, 9, 40)
    for name, vectors, ids in (("item", items, np.arange(9)), ("user", users, own)):
        column = pa.array(list(vectors), pa.list_(pa.float32(), vectors.shape[1]))
        pq.write_table(pa.table({f"{name}_tower_emb": column, "id": ids}), tmp_path / name)
    scores = (users.reshape(40, 3, 2) @ items.T).max(1)
    ranks = (scores > scores[np.arange(40), own][:, None]).sum(1)
    found = search_recall(str(tmp_path / "user"), str(tmp_path / "item"), "id", [1, 2, 5])
    assert found == pytest.approx({k: (ranks < k).mean() for k in (1, 2, 5)})


def test_what_cannot_be_searched_is_told() -> None:
    with pytest.raises(UserError, match="top_k is 0; it must be at least 1"):
        exact_search(torch.ones(1, 2), torch.ones(1, 2), 0)
    with pytest.raises(UserError, match=r"shape \[1, 2\] and items \[1, 3\]"):
        exact_search(torch.ones(1, 2), torch.ones(1, 3), 1)
