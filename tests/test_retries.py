"""What is tried again, how often, and after which pauses."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import tenacity
import tenacity.nap
from hypothesis import given
from hypothesis import strategies as st

from raymon.retries import retrying, retrying_for


class Flaky:
    """A function that fails so many times before it answers."""

    def __init__(self, failures: Sequence[BaseException]) -> None:
        self._failures = list(failures)
        self.calls = 0

    def __call__(self, answer: int) -> int:
        self.calls += 1
        if self._failures:
            raise self._failures.pop(0)
        return answer


@given(
    pauses_s=st.lists(st.floats(0, 100), max_size=4),
    failures=st.lists(st.sampled_from([OSError, ValueError, KeyboardInterrupt]), max_size=6),
)
def test_what_may_pass_is_tried_once_more_than_there_are_pauses(
    pauses_s: list[float], failures: list[type[BaseException]]
) -> None:
    slept: list[float] = []
    heard: list[BaseException] = []
    errors = [kind() for kind in failures]
    flaky = Flaky(errors)
    with pytest.MonkeyPatch.context() as patch:
        # Not that of all threads: others of this process may sleep too.
        patch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=slept.append))
        caller = retrying(pauses_s, lambda error: isinstance(error, OSError), heard.append)
        # The first that may not pass, or the last that there is a try for.
        ends = [n for n, e in enumerate(errors) if not isinstance(e, OSError) or n == len(pauses_s)]
        if ends:
            with pytest.raises(type(errors[ends[0]])) as raised:
                caller(flaky, 7)
            assert raised.value is errors[ends[0]]
        else:
            assert caller(flaky, 7) == 7
    again = ends[0] if ends else len(errors)
    assert flaky.calls == again + 1
    assert slept == pauses_s[:again]
    assert heard == errors[:again]


def test_for_a_while_it_is_tried_at_least_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    sleeping = SimpleNamespace(sleep=lambda s: now.__setitem__(0, now[0] + s))
    monkeypatch.setattr(tenacity.nap, "time", sleeping)
    monkeypatch.setattr(tenacity, "time", SimpleNamespace(monotonic=lambda: now[0]))
    flaky = Flaky([OSError("full")] * 100)
    with pytest.raises(OSError, match="full"):
        retrying_for(2.0, 0.5, lambda error: True)(flaky, 7)
    assert flaky.calls == 4
    flaky = Flaky([OSError("full")])
    with pytest.raises(OSError, match="full"):
        retrying_for(0.0, 0.5, lambda error: True)(flaky, 7)
    assert flaky.calls == 1
    assert retrying_for(0.0, 0.5, lambda error: True)(Flaky([]), 7) == 7
