"""Whether the clocks of machines agree."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.training.doctor.facts import Facts
from raymon.training.doctor.problem import Problem

_WARNED_S = 1.0
_FATAL_S = 300.0
"""Object storage refuses requests whose time is wrong by more than some minutes."""


def check_clocks(facts: Facts) -> Iterator[Problem]:
    """Yields machines whose clock differs from that of this one by more than the measurement."""
    for node in facts.nodes:
        if node.clock_offset_s is None:
            continue
        certain = abs(node.clock_offset_s) - node.clock_error_s
        if certain >= _WARNED_S:
            ahead = "ahead of" if node.clock_offset_s > 0 else "behind"
            yield Problem(
                "clocks",
                f"its clock is {abs(node.clock_offset_s):,.1f} s {ahead} that of this machine; "
                "times in logs and curves will disagree",
                "run chrony or systemd-timesyncd on all machines",
                node.host,
                is_fatal=certain >= _FATAL_S,
            )
