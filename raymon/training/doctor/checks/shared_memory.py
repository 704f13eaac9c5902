"""Whether machines have the shared memory that Ray wants for its object store."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.embeddings import size_text
from raymon.training.doctor.facts import Facts
from raymon.training.doctor.problem import Problem

_OBJECT_STORE = 0.3
"""Share of the memory that Ray takes for its object store by default."""

_ROOM = 0.95
"""Share of the shared memory that Ray takes at most."""

_MOST_BYTES = 200_000_000_000
"""Most bytes that Ray takes for its object store by default."""


def check_shared_memory(facts: Facts) -> Iterator[Problem]:
    """Yields machines where the object store would be on a disk."""
    if facts.workers == 0 and not facts.reads_by_ray:
        return
    for node in facts.nodes:
        if node.why_missing is not None or not node.memory_bytes:
            continue
        wanted = min(int(node.memory_bytes * _OBJECT_STORE), _MOST_BYTES)
        there = node.shared_memory_bytes or 0
        if there * _ROOM >= wanted:
            continue
        yield Problem(
            "shared_memory",
            f"/dev/shm has {size_text(there)}, and Ray wants {size_text(wanted)} for its object "
            "store, which it puts on a disk else"
            + (": ray.data will be slow" if facts.reads_by_ray else ""),
            f"start containers with --shm-size={-(-wanted // 10**9) + 1}g (Kubernetes: an emptyDir "
            "with medium: Memory at /dev/shm), or ray start with less --object-store-memory",
            node.host,
        )
