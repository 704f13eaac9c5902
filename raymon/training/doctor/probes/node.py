"""Measures this machine."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from raymon.embeddings import memory_limit
from raymon.training.doctor.facts import NodeFacts
from raymon.training.doctor.probes.gpus import gpus_here

PACKAGES = ("raymon", "ray", "torch", "torchmetrics", "pyarrow", "numpy", "protobuf", "torchrec")
"""Packages whose versions are compared."""

_FBGEMM = ("fbgemm-gpu", "fbgemm-gpu-cpu", "fbgemm-gpu-genai")

_SHARED_MEMORY = Path("/dev/shm")
_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def node_facts(host: str | None = None) -> NodeFacts:
    """Returns the facts of this machine; nothing of it is changed.

    Args:
        host: Name to give it; None for its own.
    """
    shared = shutil.disk_usage(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None
    versions: dict[str, str | None] = {"python": platform.python_version()}
    versions.update({name: _version(name) for name in PACKAGES})
    versions["fbgemm"] = next(filter(None, map(_version, _FBGEMM)), None)
    return NodeFacts(
        host=host or platform.node(),
        versions=versions,
        cpus=len(os.sched_getaffinity(0)),
        memory_bytes=memory_limit(),
        shared_memory_bytes=None if shared is None else shared.total,
        shared_memory_free_bytes=0 if shared is None else shared.free,
        open_files=_open_files(),
        ephemeral_ports=_ephemeral_ports(),
        gpus=gpus_here(),
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _open_files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 30 if soft == resource.RLIM_INFINITY else soft


def _ephemeral_ports() -> int:
    try:
        low, high = map(int, _PORTS.read_text().split())
    except (OSError, ValueError):
        return NodeFacts.ephemeral_ports
    return high - low + 1
