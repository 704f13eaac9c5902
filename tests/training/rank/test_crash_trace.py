"""What a process leaves behind tells which signal ended it, and where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap
from pathlib import Path

import pytest

from raymon.training.rank import crash_trace
from raymon.training.rank.crash_trace import CrashTrace, CrashTraceFile, find_crash
from tests.installed import installed_python

BEGIN = """
    import ctypes, os, signal, sys
    from raymon.training.rank.crash_trace import CrashTraceFile
    trace = CrashTraceFile()
"""


def end(tmp_path: Path, code: str) -> tuple[CrashTrace, int]:
    """What is found of a process that ran this code, and how it ended."""
    script = tmp_path / "my_script.py"
    script.write_text(textwrap.dedent(BEGIN) + textwrap.dedent(code))
    process = subprocess.Popen(
        [installed_python(), str(script)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    process.wait(timeout=60)
    return find_crash(process.pid), process.returncode


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_crash_leaves_its_signal_and_the_line_of_the_user(tmp_path: Path) -> None:
    code = """
        def crash():
            ctypes.string_at(0)
        crash()
    """
    found, code_of_end = end(tmp_path, code)
    assert code_of_end == -signal.SIGSEGV
    assert found.signal == "SIGSEGV"
    # The line after those of BEGIN and the empty one, and `def`.
    assert found.where == f"{tmp_path}/my_script.py:7 in crash"
    assert "string_at" in found.text
    assert not list(tmp_path.glob("raymon-crashes-*/*"))


def test_an_abort_has_another_name(tmp_path: Path) -> None:
    found, _ = end(tmp_path, "os.abort()")
    assert (found.signal, found.out_of_memory) == ("SIGABRT", "")
    assert found.where == f"{tmp_path}/my_script.py:5 in <module>"


def test_sigkill_leaves_that_no_other_signal_came(tmp_path: Path) -> None:
    found, _ = end(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert found == CrashTrace(was_traced=True)


def test_a_process_that_ends_well_leaves_nothing(tmp_path: Path) -> None:
    found, code = end(tmp_path, "trace.close()")
    assert (found, code) == (CrashTrace(), 0)


def test_a_process_that_has_no_place_for_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    CrashTraceFile().close()


def test_what_the_kernel_says_of_memory_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = (
        "6,1,2,-;Out of memory: Killed process 7 (python) total-vm:28528468kB, "
        "anon-rss:22506492kB, file-rss:156kB"
    )
    monkeypatch.setattr(crash_trace, "_kernel_log", lambda: [line])
    assert find_crash(7).out_of_memory == ("the kernel ended it, as memory ran out, at 22.5 GB")
    assert find_crash(77).out_of_memory == ""


def test_a_count_of_the_kernel_that_has_grown_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = tmp_path / "memory.events"
    events.write_text("low 0\noom 3\noom_kill 2\n")
    monkeypatch.setattr(crash_trace, "_cgroup", lambda: tmp_path)
    monkeypatch.setattr(crash_trace, "_kernel_log", list)
    trace = CrashTraceFile()
    try:
        kept = next(tmp_path.glob("raymon-crashes-*/*.txt")).read_text()
        assert find_crash(os.getpid()).out_of_memory == ""
        for path in tmp_path.glob("raymon-crashes-*"):
            (path / f"{os.getpid()}.txt").write_text(kept)
        events.write_text("low 0\noom 4\noom_kill 3\n")
        assert find_crash(os.getpid()).out_of_memory.startswith("the kernel has ended a process")
    finally:
        trace.close()
