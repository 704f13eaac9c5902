"""Why the process of a worker ended, as far as it can be known."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import ray

from raymon.errors import reason
from raymon.training.on_ray.nodes import call_on_node
from raymon.training.rank.crash_trace import CrashTrace, find_crash

FIND_S = 10.0
"""Seconds that a node has to say what it knows; most of it for the start of a process of Ray."""

_FACTS = {
    "pid": re.compile(r"\bpid[:=] ?(\d+)"),
    "node": re.compile(r"\bnode_id='?([0-9a-f]{16,})"),
    "host": re.compile(r"\bhostname='?([^',\s]+)"),
}
_EXIT = re.compile(
    r"Worker exit type: (\w+) Worker exit detail: (.*?)(?= Some common causes|$)", re.DOTALL
)
_MEMORY = re.compile(r"was ([\d.]+ ?\w+)(?: used)? / ([\d.]+ ?\w+)")
_LARGEST = re.compile(r"PID\s+MEM\(GB\)\s+COMMAND\n(\d+)\s+([\d.]+)\s+(.*)")


@dataclass(frozen=True)
class WorkerDeath:
    """The end of the process of a worker.

    Attributes:
        text: By what it was ended, such as "was killed by SIGKILL", with its host and process.
        details: What Ray says of it, and its stacks.
    """

    text: str
    details: str


Find = Callable[[str, int], CrashTrace]
"""Returns what a node, given its id, knows of the end of a process, given its id."""


def find_on_node(node_id: str, pid: int) -> CrashTrace:
    """Returns what a node knows of the end of a process; nothing if it does not answer."""
    try:
        found: CrashTrace = call_on_node(node_id, find_crash, (pid,), FIND_S)
        return found
    except Exception:  # the node may be gone, and whatever else
        return CrashTrace()


def nothing_found(node_id: str, pid: int) -> CrashTrace:
    """Returns nothing, without asking the node."""
    return CrashTrace()


def death_of(failure: BaseException, find: Find = find_on_node) -> WorkerDeath | None:
    """Returns how a worker ended that Ray Train says has failed; None if it has not ended.

    Args:
        failure: The failure of the worker, as Ray Train has it.
        find: Asks the node of the worker.
    """
    cause, text = _cause(failure), str(failure)
    facts = {name: pattern.search(text) for name, pattern in _FACTS.items()}
    known = {name: found.group(1) for name, found in facts.items() if found}
    where = f"({', '.join(_where(known))}) " if known else ""
    if isinstance(cause, ray.exceptions.OutOfMemoryError) or "low on memory" in text:
        return WorkerDeath(f"{where}was ended by Ray, as memory ran out{_node_memory(text)}", text)
    if isinstance(cause, ray.exceptions.NodeDiedError) or "its node has died" in text:
        return WorkerDeath(f"{where}is gone with its node", text)
    if not isinstance(cause, ray.exceptions.RayActorError | ray.exceptions.WorkerCrashedError):
        return None
    found = CrashTrace()
    if "node" in known and "pid" in known:
        found = find(known["node"], int(known["pid"]))
    details = f"{text}\n\n{found.text}" if found.text else text
    return WorkerDeath(where + _by_what(found, text), details)


def _by_what(found: CrashTrace, text: str) -> str:
    if found.out_of_memory:
        return f"was killed by SIGKILL: {found.out_of_memory}"
    if found.signal is not None:
        return f"was ended by {found.signal}" + (f" ({found.where})" if found.where else "")
    exit_of = _EXIT.search(text)
    kind, detail = exit_of.groups() if exit_of else ("", "")
    if kind == "SYSTEM_ERROR" and "connection error" in detail and found.was_traced:
        return "was killed by SIGKILL, or ended itself by os._exit"
    if kind:
        return f"ended: {' '.join(detail.split())} ({kind})"
    return "ended, and Ray does not say why"


def _where(known: dict[str, str]) -> list[str]:
    named = {"host": "{}", "pid": "pid {}"}
    return [form.format(known[name]) for name, form in named.items() if name in known]


def _node_memory(text: str) -> str:
    found, largest = _MEMORY.search(text), _LARGEST.search(text)
    if found is None:
        return ""
    said = f": {found.group(1)} of {found.group(2)} of its node were in use"
    if largest is None:
        return said
    pid, size, command = largest.groups()
    return f"{said}, most by process {pid}, {command.strip()}: {size}GB"


def _cause(failure: BaseException) -> BaseException:
    """Returns what made the health check of a worker fail."""
    inner = getattr(failure, "health_check_failure", None)
    return failure if inner is None else _cause(inner)


def unknown_failure(failure: BaseException) -> str:
    """Returns a failure of which nothing else is known, in one line."""
    return reason(_cause(failure))
