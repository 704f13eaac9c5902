import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.protos.report_pb2 import SendingCounts
from raymon.wire.sending import SendingCounter, add_sending, latency_quantile

seconds = st.lists(st.floats(1e-6, 100), min_size=1, max_size=50)


@given(seconds, st.sampled_from([0.5, 0.99]))
def test_a_quantile_is_right_to_half_a_power_of_two(times: list[float], share: float) -> None:
    counter = SendingCounter()
    for time in times:
        counter.add_answer(time)
    exact = sorted(times)[max(0, -int(-share * len(times) // 1) - 1)]
    found = latency_quantile(counter.take().latencies, share)
    assert found is not None
    assert exact <= found * (1 + 1e-9)
    assert found <= exact * 2**0.5 * (1 + 1e-9)


def test_counts_of_ranks_add_up_and_begin_anew() -> None:
    one, other = SendingCounter(), SendingCounter()
    one.add_message(100, 1)
    one.add_message(50, 2)
    one.add_answer(1e-3)
    other.add_message(10, 1)
    other.add_answer(1.0)
    total = SendingCounts()
    for counter in (one, other):
        add_sending(total, counter.take())
    assert (total.sent, total.bytes, total.in_flight) == (3, 160, 3)
    assert sum(total.latencies) == 2
    assert one.take() == SendingCounts()


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_without_messages_there_is_no_quantile(share: float) -> None:
    assert latency_quantile([], share) is None
