"""Whether there are ports for Ray and for connections between workers."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.training.doctor.facts import Facts
from raymon.training.doctor.problem import Problem

_FEW = 1000


def check_ports(facts: Facts) -> Iterator[Problem]:
    """Yields ports that are taken, too few ports, and machines that cannot connect."""
    for use, port in facts.taken_ports.items():
        yield Problem(
            "ports",
            f"port {port}, of {use}, is taken on this machine; Ray will take another one",
            "end what listens there, or read the other port from the log of the run",
        )
    for node in facts.nodes:
        if node.why_missing is None and node.ephemeral_ports < _FEW:
            yield Problem(
                "ports",
                f"there are {node.ephemeral_ports} ports for connections",
                'sysctl -w net.ipv4.ip_local_port_range="32768 60999"',
                node.host,
            )
    for link in facts.links:
        if link.error is not None:
            yield Problem(
                "ports",
                f"{link.source} cannot connect to {link.target}: {link.error}",
                "let the nodes reach each other on all ports: gloo and NCCL take any free one",
                link.source,
                is_fatal=True,
            )
