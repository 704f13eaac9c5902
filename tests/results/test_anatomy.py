"""The anatomy of a step is that of all ranks, of the median, and of the slowest one."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.results import Anatomy, RankNumbers

SECONDS = st.floats(0.125, 100, width=32)


@given(st.lists(st.tuples(SECONDS, SECONDS, SECONDS), min_size=1, max_size=5))
def test_shares_are_of_all_ranks_and_the_slowest_rank_is_so_by_its_own_work(
    ranks: list[tuple[float, float, float]],
) -> None:
    names = ("data", "forward", "peers", "start", "host_bytes")
    values = np.array([(*row, 50.0, 1e9) for row in ranks], np.float32)
    found = Anatomy.of(RankNumbers(names, tuple(range(len(ranks))), values))
    total = sum(sum(row) for row in ranks)
    for i, phase in enumerate(names[:3]):
        column = [row[i] for row in ranks]
        assert found.shares[phase] == pytest.approx(sum(column) / total, rel=1e-4)
        assert found.median[phase] == pytest.approx(median(column), rel=1e-4)
    assert list(found.shares.values()) == sorted(found.shares.values(), reverse=True)
    assert set(found.shares) == {"data", "forward", "peers"}
    slowest = found.slowest_rank
    assert slowest is not None
    own = [row[0] + row[1] for row in ranks]
    assert own[slowest] == pytest.approx(max(own), rel=1e-4)
    assert found.slowest == pytest.approx(dict(zip(names, ranks[slowest], strict=False)))


def test_a_rank_that_sent_nothing_is_in_no_number() -> None:
    values = np.array([[1.0, 3.0], [np.nan, np.nan]], np.float32)
    found = Anatomy.of(RankNumbers(("data", "evaluation"), (0, 1), values))
    assert found.shares == {"evaluation": 0.75, "data": 0.25}
    assert found.median == {"data": 1.0, "evaluation": 3.0}
    assert found.slowest_rank == 0


def test_the_median_rank_has_no_time_in_a_phase_that_most_ranks_were_not_in() -> None:
    parts = [RankNumbers.of_rank(rank, {"forward": 2.0}) for rank in range(4)]
    parts.append(RankNumbers.of_rank(4, {"forward": 2.0, "garbage_collection": 5.0}))
    found = Anatomy.of(RankNumbers.joined(parts))
    assert found.median == {"forward": 2.0, "garbage_collection": 0.0}
    assert found.slowest_rank == 4


def test_without_numbers_there_is_none() -> None:
    assert Anatomy.of(None) == Anatomy()
    empty = RankNumbers(("data",), (0,), np.zeros((1, 1), np.float32))
    assert Anatomy.of(empty).to_json() == {
        "phase_shares": {},
        "phases_median": {},
        "slowest_rank": None,
        "phases_slowest": {},
    }
