"""Numbers of ranks keep their ranks and names, through merges and messages."""

from __future__ import annotations

import numpy as np
import pytest

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
