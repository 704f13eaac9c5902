"""Rows are admitted and evicted as in a plain dictionary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raymon.data import AdmissionFilter, Growth
from raymon.data.features.growth import Policy
from raymon.embeddings.growing import eviction
from raymon.embeddings.growing.growing_ids import GrowingIds
from raymon.embeddings.growing.id_counts import add_up

Accesses = tuple[int, int]
"""Number of accesses of an id, and iteration of the last one."""


@dataclass
class Dictionary:
    """The ids that have rows, by the definitions."""

    size: int
    growth: Growth
    kept: dict[int, Accesses] = field(default_factory=dict)
    waiting: dict[int, Accesses] = field(default_factory=dict)
    evicted: int = 0
    admitted: int = 0

    @property
    def waits(self) -> bool:
        return self.growth.admission is not None and self.growth.admission.kind == "frequency"

    @property
    def capacity(self) -> int:
        return 0 if self.growth.admission is None else self.growth.admission.capacity

    def score(self, accesses: Accesses, iteration: int) -> float:
        count, last = accesses
        since = iteration - last + 1
        if self.growth.policy in ("lfu", "first"):
            return count
        numerator = count if self.growth.policy == "distance_lfu" else 1
        return float(numerator / since**self.growth.decay_exponent)

    def admits(self, count: int, counts: Sequence[int]) -> bool:
        filter_ = self.growth.admission
        if filter_ is None:
            return True
        if filter_.kind == "frequency":
            return count >= filter_.number
        if filter_.kind == "dynamic":
            return count > sum(counts) / len(counts) * filter_.number
        return count > filter_.number

    def end_interval(self, steps: Mapping[int, Sequence[int]], iteration: int) -> None:
        counts = Counter(i for ids in steps.values() for i in ids)
        last = {i: step for step in sorted(steps) for i in steps[step]}
        new: dict[int, Accesses] = {}
        for i, count in counts.items():
            if i in self.kept:
                self.kept[i] = (self.kept[i][0] + count, last[i])
            elif self.waits:
                self.waiting[i] = (self.waiting.get(i, (0, 0))[0] + count, last[i])
            elif self.admits(count, list(counts.values())):
                new[i] = (count, last[i])
        new |= {i: one for i, one in self.waiting.items() if self.admits(one[0], [])}
        both = {**self.kept, **new}
        keeps_all = self.growth.policy == "first"
        order = sorted(
            both,
            key=lambda i: (keeps_all and i in new, -self.score(both[i], iteration), i in new, i),
        )
        before, self.kept = self.kept, {i: both[i] for i in order[: self.size - 1]}
        left = {i: one for i, one in self.waiting.items() if i not in self.kept}
        longest = sorted(left, key=lambda i: (-left[i][0], -left[i][1], i))[: self.capacity]
        self.waiting = {i: left[i] for i in longest}
        self.evicted += len(before.keys() - self.kept.keys())
        self.admitted += len(self.kept.keys() - before.keys())


IDS = st.integers(0, 12) | st.sampled_from([2**63 - 1, 2**62, 2**32])
STEPS = st.lists(st.lists(IDS, max_size=8), min_size=1, max_size=40)
FILTERS = [
    None,
    AdmissionFilter(">", 1),
    AdmissionFilter("dynamic", 1.0),
    AdmissionFilter("frequency", 3, capacity=4),
]


@pytest.mark.parametrize("rows_in_order", [1, 3, 4096])
@settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=STEPS,
    size=st.integers(2, 9),
    interval=st.integers(1, 4),
    policy=st.sampled_from(["lfu", "lru", "distance_lfu", "first"]),
    exponent=st.sampled_from([0.5, 1.0, 2.0]),
    admission=st.sampled_from(FILTERS),
    ranks=st.integers(1, 3),
)
def test_ids_come_and_go_as_in_a_plain_dictionary(
    steps: list[list[int]],
    size: int,
    interval: int,
    policy: Policy,
    exponent: float,
    admission: AdmissionFilter | None,
    ranks: int,
    rows_in_order: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(eviction, "_QUEUE", rows_in_order)
    growth = Growth(interval, policy, exponent, admission)
    plain = Dictionary(size, growth)
    of_ranks = [GrowingIds("t", size, growth) for _ in range(ranks)]
    waiting: dict[int, list[int]] = {}
    rows_before: dict[int, int] = {}
    taken = Counter[str]()
    for iteration, ids in enumerate(steps, 1):
        waiting[iteration] = ids
        for rank, growing in enumerate(of_ranks):
            own = ids[rank::ranks]
            rows = growing(torch.tensor(own, dtype=torch.int64)).tolist()
            assert rows == [rows_before.get(i, size - 1) for i in own]
        due = [growing.end_iteration() for growing in of_ranks]
        assert due == [iteration % interval == 0] * ranks
        if not due[0]:
            continue
        plain.end_interval(waiting, iteration)
        waiting = {}
        together = add_up([growing.pending() for growing in of_ranks], torch.device("cpu"))
        changed = [growing.end_interval(together).tolist() for growing in of_ranks]
        first = of_ranks[0]
        found = first.accesses()
        assert all(torch.equal(other.ids, first.ids) for other in of_ranks)
        accesses = zip(found.counts.tolist(), found.last.tolist(), strict=True)
        now = dict(zip(found.ids.tolist(), accesses, strict=True))
        assert now == plain.kept
        rows_now = {i: row for row, i in enumerate(found.ids.tolist())}
        stayed = rows_now.keys() & rows_before.keys()
        assert {i: rows_now[i] for i in stayed} == {i: rows_before[i] for i in stayed}
        assert sorted(changed[0]) == sorted(rows_now[i] for i in rows_now.keys() - stayed)
        counts = first.take_counts()
        taken.update(admitted=counts.admitted, evicted=counts.evicted)
        assert (counts.occupancy, counts.size) == (len(now), size - 1)
        rows_before = rows_now
    assert (taken["admitted"], taken["evicted"]) == (plain.admitted, plain.evicted)


def test_lookups_without_a_row_are_counted_until_they_are_taken() -> None:
    growing = GrowingIds("t", 4, Growth(1, "lfu"))
    growing(torch.tensor([5, 5, 6]))
    growing.end_iteration()
    growing.end_interval(growing.pending())
    growing(torch.tensor([5, 7]))
    assert int(growing.take_counts().fallback_lookups) == 4
    assert int(growing.take_counts().fallback_lookups) == 0


@pytest.mark.parametrize("mode", ["evaluation", "no gradient"])
def test_lookups_outside_of_training_are_not_counted(mode: str) -> None:
    growing = GrowingIds("t", 4, Growth(1, "lfu")).train(mode != "evaluation")
    with torch.set_grad_enabled(mode != "no gradient"):
        assert growing(torch.tensor([5])).tolist() == [3]
    assert len(growing.pending()) == 0
    assert int(growing.take_counts().fallback_lookups) == 0


def test_many_pending_lookups_are_added_up() -> None:
    growing = GrowingIds("t", 4, Growth(100, "lfu"))
    for _ in range(3):
        growing(torch.arange(500_000) % 7)
    assert sum(map(len, growing._pending)) < 600_000
    assert growing.pending().counts.tolist() == [
        3 * (500_000 // 7 + (i < 500_000 % 7)) for i in range(7)
    ]


def test_a_loaded_mapping_is_used_at_once() -> None:
    one, other = (GrowingIds("t", 6, Growth(1, "lfu")) for _ in range(2))
    for ids in ([8, 8, 9], [3]):
        one(torch.tensor(ids))
        one.end_iteration()
        one.end_interval(one.pending())
    other(torch.tensor([1]))
    with torch.no_grad():
        for name, value in other.state_dict().items():
            value.copy_(one.state_dict()[name])
    assert (
        other.eval()(torch.tensor([8, 3, 1])).tolist()
        == one.eval()(torch.tensor([8, 3, 1])).tolist()
    )
    assert other.occupancy == 3


def test_the_sorted_mapping_answers_as_the_growing_one() -> None:
    torch.manual_seed(0)
    growing = GrowingIds("t", 12_000, Growth(1, "lru"))
    for _ in range(12):
        growing(torch.randint(0, 40_000, (3000,)))
        growing.end_iteration()
        growing.end_interval(growing.pending())
    asked = torch.arange(40_001)
    assert torch.equal(growing.sorted_ids()(asked), growing.eval()(asked))
    assert growing.occupancy == 11_999
