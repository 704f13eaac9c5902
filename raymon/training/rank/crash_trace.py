"""What a process leaves behind if a signal ends it: which one, and the Python stack."""

from __future__ import annotations

import faulthandler
import json
import os
import re
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from raymon.code_location import is_raymon_file, is_user_file, shown
from raymon.strict_json import to_json

_SIGNALS = {
    "Segmentation fault": "SIGSEGV",
    "Aborted": "SIGABRT",
    "Bus error": "SIGBUS",
    "Floating-point exception": "SIGFPE",
    "Floating point exception": "SIGFPE",
    "Illegal instruction": "SIGILL",
}
_FATAL = re.compile(r"^Fatal Python error: (.*)$", re.MULTILINE)
_FRAME = re.compile(r'^  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)
_THREAD = re.compile(r"^Current thread .*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_OOM_KILLED = re.compile(r"Killed process (\d+) .*?anon-rss:(\d+)kB")

_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class CrashTrace:
    """What is known of the end of a process.

    Attributes:
        signal: Name of the signal that ended it, such as "SIGSEGV"; None if it is not known.
        where: Place in the user's code, or in raymon's, that ran then; empty if it is not known.
        out_of_memory: How the kernel ran out of memory, if it did; else empty.
        text: The stacks of its threads; empty if there are none.
        was_traced: Whether a signal that a process can see would have left stacks.
    """

    signal: str | None = None
    where: str = ""
    out_of_memory: str = ""
    text: str = ""
    was_traced: bool = False


class CrashTraceFile:
    """Has the stacks of this process written to a file on its machine if a signal ends it.

    Signals that a process cannot see, as SIGKILL, leave nothing in it; so it has what the kernel
    counted until the process began, by which `find_crash` knows what it did since.
    """

    def __init__(self) -> None:
        self._path = _path_of(os.getpid())
        self._file: TextIO | None = None
        # Without a place for it a process trains all the same.
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._file = self._path.open("w")
            self._begin(self._file)

    def close(self) -> None:
        """Removes the file: this process ends as it should."""
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._path.unlink(missing_ok=True)

    def _begin(self, file: TextIO) -> None:
        cgroup = _cgroup()
        begun = {
            "time": time.time(),
            "cgroup": str(cgroup) if cgroup else None,
            "oom_kills": _oom_kills(cgroup),
        }
        print(to_json(begun), file=file, flush=True)
        faulthandler.enable(file, all_threads=True)


def find_crash(pid: int) -> CrashTrace:
    """Returns what is known on this machine of the end of a process, and removes its file.

    Args:
        pid: Id of the process, which is over.
    """
    path = _path_of(pid)
    try:
        first, _, text = path.read_text(errors="replace").partition("\n")
        begun = json.loads(first)
    except (OSError, ValueError):
        first, text, begun = "", "", {}
    with suppress(OSError):
        path.unlink()
    found = _FATAL.search(text)
    if found is not None:
        stack = _THREAD.search(text)
        where = _place(stack.group(0) if stack else text)
        return CrashTrace(_SIGNALS.get(found.group(1), found.group(1)), where, "", text, True)
    return CrashTrace(out_of_memory=_why_out_of_memory(pid, begun), was_traced=bool(begun))


def _path_of(pid: int) -> Path:
    return Path(tempfile.gettempdir()) / f"raymon-crashes-{os.getuid()}" / f"{pid}.txt"


def _place(stack: str) -> str:
    """Returns the innermost frame of the user's code, or of raymon's, in a stack.

    A signal from outside may come while neither runs on the thread that gets it.
    """
    frames = _FRAME.findall(stack)
    nearest = [frame for frame in frames if is_user_file(frame[0])]
    nearest = nearest or [frame for frame in frames if is_raymon_file(frame[0])]
    return "".join(f"{shown(file)}:{line} in {name}" for file, line, name in nearest[:1])


def _why_out_of_memory(pid: int, begun: dict[str, object]) -> str:
    for line in _kernel_log():
        found = _OOM_KILLED.search(line)
        if found is not None and int(found.group(1)) == pid:
            size = int(found.group(2)) / 1e6
            return f"the kernel ended it, as memory ran out, at {size:.1f} GB"
    before, cgroup = begun.get("oom_kills"), begun.get("cgroup")
    now = _oom_kills(Path(str(cgroup)) if cgroup else None)
    if isinstance(before, int) and now is not None and now > before:
        return "the kernel has ended a process for want of memory since it began, probably this one"
    return ""


def _kernel_log() -> list[str]:
    """Returns the lines of the kernel that may be read; none where that is not allowed."""
    lines = []
    try:
        handle = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return []
    try:
        while True:
            with suppress(BrokenPipeError):  # a line that was overwritten
                lines.append(os.read(handle, 8192).decode(errors="replace"))
    except OSError:  # there is no further line
        return lines
    finally:
        os.close(handle)


def _cgroup() -> Path | None:
    """Returns the directory of the memory controller of this process; None if there is none."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0" or "memory" in controllers.split(","):
                kind = "" if number == "0" else "memory"
                return _CGROUPS / kind / path.lstrip("/")
    return None


def _oom_kills(cgroup: Path | None) -> int | None:
    """Returns how many processes the kernel ended for want of memory, here or on the machine."""
    places = [] if cgroup is None else [cgroup / "memory.events", cgroup / "memory.oom_control"]
    for place in [*places, _CGROUPS / "memory.events", Path("/proc/vmstat")]:
        with suppress(OSError, ValueError):
            for line in place.read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    return None
