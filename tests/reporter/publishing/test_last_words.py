"""The file of a failure has what the run said and measured last."""

from __future__ import annotations

import numpy as np

from raymon.reporter.publishing.last_words import LastWords
from raymon.results import (
    HOST_BYTES,
    AttemptBegan,
    Coverage,
    Failure,
    Notice,
    RankNumbers,
    RankState,
    Snapshot,
)

RANKS = [
    RankState(0, 1.5, 60, 6, 0, host="a", pid=7, phase="backward"),
    RankState(1, 2.0, 50, 5, 0),
]


def snapshot(step: int, *memory: float) -> Snapshot:
    numbers = RankNumbers(
        ("step", HOST_BYTES),
        tuple(range(len(memory))),
        np.array([[0.1, size] for size in memory], np.float32),
    )
    return Snapshot(
        step - 10, step, 0, 80, 800, 1.0, {"bce": 0.25}, {}, {"auc": 0.5}, {}, (), {},
        Coverage(2, 2, 0.1), rank_numbers=numbers,
    )  # fmt: skip


def words() -> LastWords:
    heard = LastWords(wall_clock=lambda: 0.0)
    heard.hear(AttemptBegan(1, 2, 0))
    for step in range(10, 160, 10):
        heard.see(snapshot(step, 5e8 + step * 1e6, 1e9 + step * 1e8))
    heard.hear(Notice("the disk is slow"))
    return heard


def test_the_line_has_the_memory_of_the_rank_that_was_killed() -> None:
    heard, text = words(), "rank 1 (a, pid 7) was killed by SIGKILL"
    assert heard.line(Failure(text, "", [1])) == (
        f"{text}; it had 16.0 GB of memory at step 150 and 7.0 GB at step 60"
    )
    # Of several, that of the largest.
    assert heard.line(Failure("rank 0 is gone", "", [0, 1])).startswith(
        "rank 0 is gone; rank 1 had 16.0 GB of memory at step 150"
    )
    assert heard.line(Failure("ValueError: no", "")) == "ValueError: no"
    assert LastWords().line(Failure(text, "", [1])) == text


def test_the_file_has_traceback_ranks_last_window_memory_and_notices() -> None:
    whole = words().whole(Failure("ValueError: no", "Traceback ..."), 2, RANKS)
    assert whole.startswith("Attempt 2 failed, 1970-01-01 00:00:00 UTC\n\nValueError: no\n")
    for part in (
        "\nTraceback ...\n",
        "\nrank 0 (a, pid 7): step 60, in backward, 1.5 s ago\nrank 1: step 50, 2.0 s ago\n",
        "Last window of all ranks, steps 140 to 150\n",
        '"bce": 0.25',
        "\n150: 0:650 1:16000\n",
        "00:00:00 INFO attempt 1 began, 2 ranks, from step 0\n00:00:00 WARNING the disk is slow\n",
    ):
        assert part in whole, part


def test_memory_of_an_earlier_attempt_is_not_that_of_a_rank_of_this_one() -> None:
    heard = words()
    heard.hear(AttemptBegan(2, 2, 100))
    assert heard.line(Failure("rank 1 was killed", "", [1])) == "rank 1 was killed"


def test_what_is_kept_does_not_grow() -> None:
    heard = words()
    for number in range(1000):
        heard.hear(Notice(f"notice {number}"))
    whole = heard.whole(Failure("no", ""), 1, [])
    assert "notice 949\n" not in whole
    assert "notice 950\n" in whole
    assert "\n50: " not in whole
