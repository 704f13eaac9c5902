"""Whether processes may open enough files."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.training.doctor.facts import Facts
from raymon.training.doctor.problem import Problem

_FEW = 4096
"""Below this Ray's processes may run out, on machines with many CPUs or in large clusters."""

_TOO_FEW = 256


def check_open_files(facts: Facts) -> Iterator[Problem]:
    """Yields machines on which a process may have few files open."""
    for node in facts.nodes:
        if node.why_missing is None and node.open_files < _FEW:
            yield Problem(
                "open_files",
                f"a process may have {node.open_files:,} files open",
                "raise it before Ray starts: ulimit -n 65536, or LimitNOFILE of its service",
                node.host,
                is_fatal=node.open_files < _TOO_FEW,
            )
