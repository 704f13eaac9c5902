"""Whether GPUs are there, free and alike."""

from __future__ import annotations

from collections.abc import Iterator

from raymon.embeddings import size_text
from raymon.training.doctor.facts import Facts, GpuFacts
from raymon.training.doctor.problem import Problem

_BUSY = 0.1
"""Share of the time from which on a GPU is busy."""

_TAKEN = 0.05
"""Share of its memory from which on it is taken; the driver alone takes less."""


def check_gpus(facts: Facts) -> Iterator[Problem]:
    """Yields GPUs that are missing, busy, or not alike, if the run uses them."""
    found = [(node.host, gpu) for node in facts.nodes for gpu in node.gpus]
    if facts.use_gpu and len(found) < max(1, facts.workers or 0):
        yield Problem(
            "gpus",
            f"{max(1, facts.workers or 0)} GPUs are needed, and {len(found)} are there",
            "set ray_config.num_workers to no more, leave ray_config.use_gpu out, or add machines",
            is_fatal=True,
        )
    if not facts.use_gpu and facts.workers is not None:
        return
    for node in facts.nodes:
        for index, gpu in enumerate(node.gpus):
            why = _why_taken(gpu)
            if why is not None:
                yield Problem(
                    "gpus",
                    f"GPU {index}, {gpu.name}, is in use: {why}",
                    "end what uses it (nvidia-smi lists the processes), or hide it by "
                    "CUDA_VISIBLE_DEVICES",
                    node.host,
                )
    for what, kinds in (
        ("models", {f"{gpu.name} with {size_text(gpu.memory_bytes)}" for _, gpu in found}),
        ("drivers", {gpu.driver for _, gpu in found}),
    ):
        if len(kinds) > 1:
            yield Problem(
                "gpus",
                f"GPUs have different {what}: {', '.join(sorted(kinds))}",
                "the slowest sets the pace of all: run on nodes that are alike, by "
                "ray_config.resources_per_worker"
                if what == "models"
                else "install the same driver on all machines",
            )


def _why_taken(gpu: GpuFacts) -> str | None:
    reasons = []
    if gpu.busy is not None and gpu.busy >= _BUSY:
        reasons.append(f"{gpu.busy:.0%} of the time")
    if gpu.memory_bytes and gpu.used_bytes / gpu.memory_bytes >= _TAKEN:
        reasons.append(f"{size_text(gpu.used_bytes)} of {size_text(gpu.memory_bytes)}")
    return ", ".join(reasons) or None
