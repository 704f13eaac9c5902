"""Numbers of devices are those of the ranks that have most, and means of all, in any order."""

from __future__ import annotations

import random
from functools import reduce
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.protos.report_pb2 import WindowReport
from raymon.results import DEVICE_FIGURES, DeviceNumbers, Snapshot
from tests.reporter.test_reporter import make_reporter, snapshots
from tests.reporter.windows import auc_metrics, auc_window, clicks

NUMBERS = st.builds(
    DeviceNumbers, *[st.integers(0, 2**40)] * 3, st.integers(0, 10_000), st.integers(0, 100)
)


def window(rank: int, index: int, device: DeviceNumbers | None) -> bytes:
    steps = (5 * index, 5 * index + 5)
    report = WindowReport.FromString(auc_window(rank, index, steps, *clicks(20, rank)))
    if device is not None:
        report.device.CopyFrom(device.to_message())
    return report.SerializeToString()


def published(directory: Path, windows: list[bytes]) -> Snapshot:
    """What is published of two windows of two ranks, which arrive in any order."""
    reporter = make_reporter(directory)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    random.Random(1).shuffle(windows)
    for each in windows:
        reporter.report(each)
    (snapshot,) = snapshots(reporter)
    return snapshot


@given(st.lists(NUMBERS, min_size=2, max_size=5), st.randoms())
def test_merging_has_no_order(numbers: list[DeviceNumbers], rng: random.Random) -> None:
    merged = reduce(DeviceNumbers.merged, numbers)
    assert merged.max_bytes == max(each.max_bytes for each in numbers)
    rng.shuffle(numbers)
    assert reduce(DeviceNumbers.merged, numbers) == merged
    assert DeviceNumbers.from_message(merged.to_message()) == merged


def test_a_snapshot_has_the_largest_and_the_mean(tmp_path: Path) -> None:
    of_rank = {
        0: [DeviceNumbers(100, 50, 200, 90, 1), DeviceNumbers(110, 40, 200, 170, 2)],
        1: [DeviceNumbers(90, 60, 210, 30, 1), DeviceNumbers(80, 70, 190)],
    }
    found = published(
        tmp_path,
        [window(rank, i, each) for rank, parts in of_rank.items() for i, each in enumerate(parts)],
    )
    assert found.device_figures == {
        "device_bytes": 110,
        "device_allocated_bytes": 70,
        "device_reserved_bytes": 210,
        "device_utilization": pytest.approx(mean([0.9, 0.85, 0.85, 0.3])),
    }
    line = found.to_json()
    assert {name: line[name] for name in DEVICE_FIGURES} == found.device_figures


def test_on_cpus_there_is_none(tmp_path: Path) -> None:
    found = published(tmp_path, [window(rank, i, None) for rank in range(2) for i in range(2)])
    assert found.device is None
    assert set(found.device_figures.values()) == {None}
    assert found.to_json()["device_bytes"] is None
