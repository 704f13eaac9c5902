"""What the driver does when a rank hangs: stacks in the log and in files, and the end of a rank."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from raymon.errors import TrainingError
from raymon.results import HANG, Alert, Finding, RankState
from raymon.training.hangs.end_here import EndHere
from raymon.training.hangs.of_config import named_failure
from raymon.training.hangs.response import HangResponse
from raymon.training.rank.stacks import StackDump
from tests.installed import installed_python

RANKS = [
    RankState(rank, 30, 812, 9, 0, host="h", pid=100 + rank, node_id=f"n{rank}", phase_s=30 + rank)
    for rank in range(3)
]
STACKS = """Thread 1 (idle): "MainThread"
    predict (/home/me/models.py:12)
    run_worker (/venv/lib/python3.11/site-packages/raymon/training/loop/worker.py:110)
"""


class Told:
    """Lines that were shown, and the ranks that were ended."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ended: list[tuple[int, str]] = []
        self._came = threading.Condition()

    def tell(self, line: str) -> None:
        with self._came:
            self.lines.append(line)
            self._came.notify_all()

    def end(self, rank: RankState, why: str) -> None:
        self.ended.append((rank.rank, why))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self._came:
            assert self._came.wait_for(condition, 30), self.lines


def hang(rank: int | None = 1, is_over: bool = False) -> Alert:
    return Alert(Finding(HANG, "rank 1 hangs", rank=rank, first_step=812), 2, 800, 1e9, is_over)


def take(node: str, pid: int) -> StackDump:
    return StackDump(f"{node} {pid}\n{STACKS}", "py-spy")


def test_the_stacks_of_who_hangs_and_of_one_who_waits_go_to_the_log_and_to_files(
    tmp_path: Path,
) -> None:
    told = Told()
    response = HangResponse(tmp_path, lambda: RANKS, take, told.tell)
    response.write_alert(hang())
    told.wait_for(lambda: len(told.lines) == 2)
    for line, rank in zip(told.lines, (1, 2), strict=True):
        path = tmp_path / "monitor" / "stacks" / f"attempt-2-step-812-rank-{rank}.txt"
        assert line == (
            f"Stacks of rank {rank}: predict (/home/me/models.py:12); all of them: {path}"
        )
        text = path.read_text()
        assert text.startswith("rank 1 hangs\n")
        assert f"process {100 + rank} on h, taken by py-spy at" in text
        assert f"n{rank} {100 + rank}\n{STACKS}" in text
    assert response.ended is None


def test_stacks_that_cannot_be_taken_or_written_are_told(tmp_path: Path) -> None:
    told = Told()
    HangResponse(
        tmp_path, lambda: RANKS, lambda *_: StackDump("it is gone", ""), told.tell
    ).write_alert(hang())
    told.wait_for(lambda: len(told.lines) == 2)
    assert told.lines[0] == "No stacks of rank 1: it is gone"
    (tmp_path / "monitor").write_text("no directory")
    HangResponse(tmp_path, lambda: RANKS, take, told.tell).write_alert(hang())
    told.wait_for(lambda: len(told.lines) == 4)
    assert "predict (/home/me/models.py:12); not written to" in told.lines[2]


def test_a_rank_that_hangs_on_is_ended_and_one_that_goes_on_is_not(tmp_path: Path) -> None:
    told = Told()
    response = HangResponse(tmp_path, lambda: RANKS, take, told.tell, told.end, 0.0)
    response.write_alert(hang())
    told.wait_for(lambda: "on_hang is FAIL: rank 1 (h, pid 101) is ended" in told.lines)
    with pytest.raises(TrainingError, match=r"^rank 1 hangs$"), named_failure(response, lambda: 2):
        raise TrainingError("rank 1: the actor died")
    with pytest.raises(TrainingError, match="another"), named_failure(response, lambda: 3):
        raise TrainingError("another attempt, another reason")
    told = Told()
    response = HangResponse(tmp_path, lambda: RANKS, take, told.tell, told.end, 3600.0)
    response.write_alert(hang())
    told.wait_for(lambda: len(told.lines) == 2)
    response.write_alert(hang(is_over=True))
    _join_responses()
    assert not told.ended
    assert response.ended is None


def _join_responses() -> None:
    for thread in threading.enumerate():
        if thread.name == "raymon-hang":
            thread.join(30)
            assert not thread.is_alive()


def test_if_all_hang_in_a_collective_the_first_is_ended(tmp_path: Path) -> None:
    told = Told()
    HangResponse(tmp_path, lambda: RANKS, take, told.tell, told.end, 0.0).write_alert(hang(None))
    _join_responses()
    assert [rank for rank, _ in told.ended] == [0]


@pytest.mark.parametrize("main", [True, False], ids=["main_thread", "another_thread"])
def test_a_thread_that_hangs_in_this_process_is_ended_with_the_reason(main: bool) -> None:
    begun, found = threading.Event(), []

    def hang_in_a_lock() -> None:
        here = EndHere()
        try:
            with here:
                ends = threading.Thread(target=_end, args=(here, begun))
                ends.start()
                begun.set()
                while True:
                    time.sleep(0.01)
        except TrainingError as error:
            found.append(str(error))
        ends.join()

    if main:
        hang_in_a_lock()
    else:
        thread = threading.Thread(target=hang_in_a_lock)
        thread.start()
        thread.join(30)
    assert found == ["it hangs"]


def _end(here: EndHere, begun: threading.Event) -> None:
    begun.wait()
    here.end("it hangs")


def test_a_process_whose_thread_does_not_end_ends_with_exit_code_1(tmp_path: Path) -> None:
    program = tmp_path / "stuck.py"
    program.write_text(
        """
import threading
from raymon.training.hangs import end_here

end_here._PATIENCE_S = 0.2


def hang():
    while True:
        try:
            threading.Event().wait()
        except BaseException:
            pass


with end_here.EndHere() as here:
    threading.Timer(0.1, here.end, ["rank 0 hangs"]).start()
    hang()
"""
    )
    done = subprocess.run(
        [installed_python(), program],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ},
    )
    assert done.returncode == 1
    assert "rank 0 hangs; it does not end, so that the process does" in done.stderr
