from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raymon.embeddings.growing import id_index
from raymon.embeddings.growing.id_index import LARGEST, IdIndex, SortedIds

ROWS = 7
IDS = st.integers(0, 20) | st.just(LARGEST)


@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.dictionaries(st.integers(0, ROWS - 2), IDS, max_size=4), max_size=30))
def test_ids_are_found_in_the_rows_that_they_have_now(
    monkeypatch: pytest.MonkeyPatch, changes: list[dict[int, int]]
) -> None:
    monkeypatch.setattr(id_index, "_SMALL", 3)
    monkeypatch.setattr(id_index, "_STALE", 1)
    of_rows = torch.full((ROWS,), -1)
    index = IdIndex(of_rows)
    asked = torch.tensor([*range(21), LARGEST])
    for change in changes:
        # An id has one row.
        new = {row: i for row, i in change.items() if i not in of_rows.tolist()}
        new = {row: i for i, row in {i: row for row, i in new.items()}.items()}
        rows, ids = torch.tensor([*new], dtype=torch.int64), torch.tensor([*new.values()])
        of_rows[rows] = ids.long()
        index.add(ids.long(), rows)
        expected = {i: row for row, i in enumerate(of_rows.tolist())}
        found = index.find(asked).tolist()
        assert found == [expected.get(i, ROWS - 1) for i in asked.tolist()]


def test_sorted_ids_are_merged_as_if_they_were_sorted_again() -> None:
    torch.manual_seed(0)
    ids = torch.randperm(1000)
    merged = SortedIds(ids[:300], torch.arange(300), 5000)
    more, rows = ids[200:].sort()
    merged.merge(more, rows + 7)
    rows_of = torch.full((1000,), 5000)
    rows_of[ids[:300]] = torch.arange(300)
    rows_of[ids[200:]] = torch.arange(800) + 7
    assert torch.equal(merged(torch.arange(1000)), rows_of)
    assert len(merged) == 1000
