"""Numbers of ranks keep their ranks and names, through merges and messages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.protos import report_pb2 as messages
from raymon.results import RankNumbers


def test_merged_numbers_are_those_of_all_ranks() -> None:
    one = RankNumbers.of_rank(3, {"data": 1.0, "forward": 2.0})
    two = RankNumbers.of_rank(0, {"forward": 4.0, "host_bytes": 5.0})
    for first, second in ((one, two), (two, one)):
        joined = RankNumbers.joined([first, second])
        assert joined is not None
        message = joined.to_message()
        both = RankNumbers.from_message(
            messages.RankNumbers.FromString(message.SerializeToString())
        )
        found = dict(zip(both.ranks, both.column("forward"), strict=True))
        assert found == {3: 2.0, 0: 4.0}
        data = dict(zip(both.ranks, both.column("data"), strict=True))
        assert data[3] == 1.0
        assert np.isnan(data[0])
    assert np.isnan(one.column("nothing")).all()


def test_a_message_with_other_numbers_than_it_says_is_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        RankNumbers.from_message(messages.RankNumbers(names=["a"], ranks=[0, 1], values=b"1234"))


def test_seconds_add_up_over_windows_and_the_newest_level_counts() -> None:
    early = RankNumbers.of_rank(0, {"data": 1.0, "host_bytes": 7.0})
    late = RankNumbers.joined(
        [
            RankNumbers.of_rank(1, {"data": 2.0, "host_bytes": 9.0}),
            RankNumbers.of_rank(0, {"data": 4.0, "host_bytes": 5.0}),
        ]
    )
    total = RankNumbers.summed(early, late)
    assert total is not None
    assert total.ranks == (0, 1)
    assert total.column("data").tolist() == [5.0, 2.0]
    assert total.column("host_bytes").tolist() == [5.0, 9.0]
    again = RankNumbers.summed(total, early)
    assert again is not None
    assert again.column("data").tolist() == [6.0, 2.0]
    assert again.column("host_bytes").tolist() == [7.0, 9.0]
    assert RankNumbers.summed(None, early) is RankNumbers.summed(early, None) is early
    assert total.only([1]).column("data").tolist() == [2.0]


@given(st.permutations(range(5)))
def test_ranks_are_joined_in_their_order_whatever_came_first(order: list[int]) -> None:
    joined = RankNumbers.joined([RankNumbers.of_rank(r, {"data": r / 2}) for r in order])
    assert joined is not None
    assert joined.ranks == tuple(range(5))
    assert joined.column("data").tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
