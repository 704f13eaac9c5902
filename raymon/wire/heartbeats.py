"""The messages that say where ranks are."""

from __future__ import annotations

from raymon.protos.report_pb2 import Heartbeat, Heartbeats
from raymon.wire.schema_version import SCHEMA_VERSION

_MOST_RANKS = 1_000_000


def encode_heartbeats(beats: list[Heartbeat]) -> bytes:
    """Returns heartbeats as a message."""
    return Heartbeats(schema_version=SCHEMA_VERSION, beats=beats).SerializeToString()


def decode_heartbeats(message: bytes) -> list[Heartbeat]:
    """Returns the heartbeats of a message.

    Raises:
        ValueError: It is of another schema version, or of ranks that cannot be.
        DecodeError: It has no heartbeats.
    """
    beats = Heartbeats.FromString(message)
    if beats.schema_version != SCHEMA_VERSION:
        raise ValueError(f"schema version {beats.schema_version}, not {SCHEMA_VERSION}")
    for beat in beats.beats:
        if not beat.rank < beat.world_size <= _MOST_RANKS:
            raise ValueError(f"rank {beat.rank} in a world of {beat.world_size}")
    return list(beats.beats)
