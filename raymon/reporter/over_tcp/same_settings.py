"""In what the ranks of a process group have to agree."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from raymon.metrics import TrainMetricWrapper
from raymon.protos.report_pb2 import Hello
from raymon.reporter.over_tcp.handshake import new_secret
from raymon.wire import SCHEMA_VERSION, Layout


def hello_of(
    rank: int,
    world_size: int,
    metrics: Mapping[str, TrainMetricWrapper],
    log_step_count_steps: int,
    first_step: int,
) -> Hello:
    """Returns what a rank says of itself.

    Args:
        rank: Its rank.
        world_size: Number of ranks.
        metrics: Train metrics by name.
        log_step_count_steps: Steps that one point of the curves covers.
        first_step: Step that it goes on from; 0 for a new run.
    """
    return Hello(
        schema_version=SCHEMA_VERSION,
        rank=rank,
        world_size=world_size,
        host=socket.gethostname(),
        pid=os.getpid(),
        channel=new_secret(),
        nonce=new_secret(),
        layout=Layout.of_metrics(metrics).fingerprint,
        metrics=list(metrics),
        log_step_count_steps=log_step_count_steps,
        first_step=first_step,
    )


def difference(first: Hello, other: Hello) -> str | None:
    """Returns why a rank cannot be taken, by what the first one is; None if it can.

    Args:
        first: What rank 0 says of itself.
        other: What the rank says of itself.
    """
    rank = other.rank
    if other.schema_version != first.schema_version:
        return f"rank {rank} has another version of raymon than rank 0"
    if other.world_size != first.world_size or not 0 < rank < first.world_size:
        return (
            f"rank {rank} of {other.world_size} ranks is none of the {first.world_size} of rank 0"
        )
    if (other.layout, list(other.metrics)) != (first.layout, list(first.metrics)):
        return (
            f"rank {rank} has other train_metrics than rank 0: {_names(other)}, not "
            f"{_names(first)}; give the same on every rank"
        )
    for name in ("log_step_count_steps", "first_step"):
        own, right = getattr(other, name), getattr(first, name)
        if own != right:
            return (
                f"rank {rank} has {name}={own}, and rank 0 has {right}; give the same on every rank"
            )
    return None


def _names(hello: Hello) -> str:
    return ", ".join(hello.metrics) or "none"
