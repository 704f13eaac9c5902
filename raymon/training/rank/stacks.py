"""The Python stacks of a process of this machine, taken from outside."""

from __future__ import annotations

import faulthandler
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from raymon.errors import first_line, os_reason

PY_SPY, FAULTHANDLER, IN_PROCESS = "py-spy", "faulthandler", "the process itself"

_SIGNAL = signal.SIGRTMAX - 3
"""Signal that has a process write its stacks; nothing else sends it."""

_FILE = "raymon-stacks"
"""Name of the file in memory that a process writes its stacks to."""

_TRIES = 3
"""Tries of py-spy, which may find a running process in the middle of a change."""

_PY_SPY_S = 10.0
_DUMP_S = 5.0
_LOOK_S = 0.05


@dataclass(frozen=True)
class StackDump:
    """The Python stacks of all threads of a process.

    Attributes:
        text: The stacks, the innermost frame of each thread first; if there are none, why, in one
            line.
        way: What took them; empty if there are none.
    """

    text: str
    way: str


_file: int | None = None


def prepare_stack_dumps() -> None:
    """Has this process write its stacks when it gets a signal, for where py-spy is not allowed.

    It writes them into memory that others read through `/proc`; a process that is stopped, as by
    SIGSTOP, does not. Once for each process.
    """
    global _file
    if _file is None and hasattr(os, "memfd_create"):
        with suppress(OSError, ValueError):
            _file = os.memfd_create(_FILE)
            faulthandler.register(_SIGNAL, file=_file, all_threads=True)


def take_stacks(pid: int) -> StackDump:
    """Returns the stacks of a process of this machine; training in it does not stop.

    By py-spy if that may read the memory of the process, also of one that is stopped; else by the
    process itself, if it has called `prepare_stack_dumps`. Takes seconds at most.

    Args:
        pid: Id of the process.
    """
    if pid == os.getpid():
        return own_stacks()
    if not Path(f"/proc/{pid}").exists() and sys.platform == "linux":
        return StackDump(f"there is no process {pid}", "")
    text, why_no_py_spy = _by_py_spy(pid)
    if text:
        return StackDump(text, PY_SPY)
    text, why_no_dump = _by_signal(pid)
    if text:
        return StackDump(text, FAULTHANDLER)
    return StackDump(
        f"no stacks of process {pid}: py-spy: {why_no_py_spy}; faulthandler: {why_no_dump}", ""
    )


def own_stacks() -> StackDump:
    """Returns the stacks of this process, its main thread first."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    main, this = threading.main_thread().ident, threading.get_ident()
    parts = []
    for ident, frame in sorted(sys._current_frames().items(), key=lambda item: item[0] != main):
        if ident != this:
            parts.append(f'Thread {ident}: "{names.get(ident, "")}"\n{_lines(frame)}')
    return StackDump("\n".join(parts), IN_PROCESS)


def _lines(innermost: FrameType) -> str:
    lines: list[str] = []
    frame: FrameType | None = innermost
    while frame is not None:
        code = frame.f_code
        lines.append(f"    {code.co_qualname} ({code.co_filename}:{frame.f_lineno})")
        frame = frame.f_back
    return "\n".join(lines)


def _by_py_spy(pid: int) -> tuple[str, str]:
    """Returns the stacks; else why there are none."""
    beside = Path(sys.executable).with_name("py-spy")
    program = str(beside) if beside.exists() else shutil.which("py-spy")
    if program is None:
        return "", "it is not installed"
    why = ""
    for _ in range(_TRIES):
        try:
            # It reads the memory of the process without stopping it.
            done = subprocess.run(
                [program, "dump", "--nonblocking", "--full-filenames", "--pid", str(pid)],
                capture_output=True,
                text=True,
                timeout=_PY_SPY_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return "", first_line(error)
        if done.returncode == 0 and "Thread " in done.stdout:
            return done.stdout, ""
        why = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
    return "", why


def _by_signal(pid: int) -> tuple[str, str]:
    """Returns the stacks; else why there are none."""
    try:
        file = _file_of(pid)
        if file is None:
            return "", "the process has not prepared for it"
        if _is_stopped(pid):
            return "", "the process is stopped"
        before = os.stat(file).st_size
        os.kill(pid, _SIGNAL)
        return _read_after(file, before), "the process does not answer"
    except OSError as error:
        return "", os_reason(error)


def _file_of(pid: int) -> Path | None:
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # it was closed just now
            if f"/memfd:{_FILE}" in os.readlink(path):
                return path
    return None


def _is_stopped(pid: int) -> bool:
    # The name of the program, in parentheses, may have spaces.
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state in ("T", "t", "Z", "X")


def _read_after(file: Path, before: int) -> str:
    """Returns what a process appends to a file, once that has an end."""
    deadline, size = time.monotonic() + _DUMP_S, before
    while time.monotonic() < deadline:
        time.sleep(_LOOK_S)
        last, size = size, os.stat(file).st_size
        if size > before and size == last:
            break
    with open(file, "rb") as opened:
        opened.seek(before)
        return opened.read().decode(errors="replace")
