"""What grows until it is full is found with a date, and what fills its caches is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats

from raymon.diagnosis.resources.full_disk import FullDisk
from raymon.diagnosis.resources.growth_check import GrowthCheck
from raymon.diagnosis.resources.trend import Trend
from raymon.results import RankNumbers, RankState
from tests.sinks.snapshots import snapshot

GB = 1e9
START = 1_790_000_000.0
EVERY_S = 10.0
STEPS = 10_000
"""Steps of the run, ten in ten seconds: it takes 10,000 seconds."""


def watched(
    seconds: float, used: Callable[[float], list[float]], free: float = 20 * GB, **more: Any
) -> tuple[GrowthCheck, list[float]]:
    """Shows a run whose rank i uses `used(t)[i]` bytes; returns when there were findings."""
    check, when = GrowthCheck(STEPS), []
    begin = used(0.0)
    for i in range(int(seconds / EVERY_S)):
        t = EVERY_S * i
        host = np.array(used(t))
        numbers = {"host_bytes": host, "host_free_bytes": free - (host - begin).sum() + 0 * host}
        numbers |= {name: value(t) + 0 * host for name, value in more.items()}
        values = np.stack(list(numbers.values()), axis=1).astype(np.float32)
        ranks = RankNumbers(tuple(numbers), tuple(range(len(host))), values)
        check.see(snapshot(10 * (i + 1), rank_numbers=ranks, time=START + t))
        if check.findings([], 0.0):
            when.append(t)
    return check, when


def noise(seed: int, size: float) -> Callable[[], float]:
    random = np.random.default_rng(seed)
    return lambda: size * float(random.normal())


def test_a_leak_is_found_with_its_rank_and_the_date_at_which_memory_is_full() -> None:
    jitter = noise(0, 0.02 * GB)

    def used(t: float) -> list[float]:
        return [3 * GB + jitter(), 3 * GB + 3.6 * GB * t / 1000 + jitter()]

    check, when = watched(2000, used)
    assert 600 <= when[0] <= 800
    state = RankState(1, 0.0, 0, 0, 0, host="node-7")
    (finding,) = check.findings([state], 0.0)
    assert (finding.kind, finding.rank, finding.host) == ("memory_grows", 1, "node-7")
    assert finding.text.startswith("host memory of rank 1 grows by 1")
    # 20 GB at 3.6 MB/s last 5,556 s from the start; the run takes 10,000 s.
    assert "it is full at 2026-09-21 15:" in finding.text
    assert "before the run ends at 2026-09-21 16:" in finding.text


def test_a_fast_leak_is_found_before_it_is_over() -> None:
    def used(t: float) -> list[float]:
        return [3 * GB + 0.05 * GB * t]

    _, when = watched(390, used)
    assert when[0] <= 250


@pytest.mark.parametrize(
    "used",
    [
        lambda t: 3 * GB + 5 * GB * (1 - np.exp(-t / 300)),  # caches fill
        lambda t: 3 * GB + 8 * GB * min(t, 500) / 500,  # a buffer fills
        lambda t: 3 * GB + 2 * GB * np.log1p(t / 10) / 7,
        lambda t: 3 * GB + 1 * GB * ((t / 400) % 1),  # filled in each epoch, and given back
        lambda t: 3 * GB + (2 * GB if t > 700 else 0),  # one evaluation
        lambda t: 3 * GB + 0.5 * GB * np.sin(t / 150),
        lambda t: 3 * GB + 1e5 * t,  # 1 GB in a run that has 20
    ],
)
def test_what_ends_or_does_not_matter_is_no_growth(used: Callable[[float], float]) -> None:
    for seed in range(2):
        jitter = noise(seed, 0.01 * GB)
        _, when = watched(4000, lambda t, jitter=jitter: [used(t) + jitter()])
        assert when == []


def test_noise_alone_is_no_growth() -> None:
    for seed in range(3):
        jitter = noise(seed, 0.3 * GB)
        assert watched(4000, lambda t, jitter=jitter: [3 * GB + jitter()] * 4, 2 * GB)[1] == []


def test_files_that_are_never_closed_and_a_disk_that_fills_are_found() -> None:
    check, _ = watched(
        2000, lambda t: [3 * GB],
        open_files=lambda t: 50 + 0.2 * t, open_files_free=lambda t: 974 - 0.2 * t,
        model_dir_free_bytes=lambda t: 30 * GB - 5e6 * t,
    )  # fmt: skip
    found = {finding.kind: finding for finding in check.findings([], 0.0)}
    assert found.keys() == {"open_files_grow", "disk_fills"}
    assert "grows by 720 files/h" in found["open_files_grow"].text
    assert "the disk of model_dir fills by 18 GB/h" in found["disk_fills"].text
    assert found["disk_fills"].rank is None


def test_checkpoints_of_which_the_last_few_are_kept_fill_no_disk() -> None:
    def free(t: float) -> float:
        return 30 * GB - 2 * GB * min(int(t / 300), 5)

    assert watched(4000, lambda t: [3 * GB], model_dir_free_bytes=free)[1] == []


def test_a_leak_that_stops_is_over() -> None:
    _, when = watched(6000, lambda t: [3 * GB + 4e6 * min(t, 1500)])
    assert when
    assert when[-1] < 4000


def test_a_disk_that_is_nearly_full_is_told_until_there_is_twice_as_much() -> None:
    check, on = FullDisk(), []
    for i, free in enumerate([1e9, 1.5e8, 1.9e8, 2.5e8, 5e8, 2.5e8]):
        numbers = RankNumbers.of_rank(0, {"model_dir_free_bytes": free})
        check.see(snapshot(10 * i + 10, rank_numbers=numbers))
        on.append(bool(check.findings([], 0.0)))
    assert on == [False, True, True, True, False, False]


def test_the_trend_is_that_of_scipy() -> None:
    random = np.random.default_rng(0)
    times, values = np.arange(20.0), random.normal(size=(20, 3)).cumsum(axis=0)
    trend = Trend.of(times, values)
    for i in range(3):
        assert trend.slope[i] == pytest.approx(scipy.stats.theilslopes(values[:, i], times).slope)
        tau = scipy.stats.kendalltau(times, values[:, i], method="asymptotic")
        z = abs(scipy.stats.norm.ppf(tau.pvalue / 2))
        assert abs(trend.z[i]) == pytest.approx(z, rel=0.01)
