"""The heartbeats of the ranks of a node, which are passed on together."""

from __future__ import annotations

from raymon.protos.report_pb2 import Heartbeat
from raymon.wire import decode_heartbeats, encode_heartbeats


class NodeBeats:
    """The newest heartbeat of each rank of a node since they were last passed on.

    Args:
        every_s: Seconds between two times that they are passed on.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._passed_on_at = -float("inf")
        self._came: dict[int, tuple[Heartbeat, float]] = {}

    def add(self, message: bytes, now: float) -> bytes | None:
        """Takes serialised `Heartbeats` that came at the time `now`, in seconds.

        Returns:
            Those of all ranks that came, serialised, if it is time to pass them on, or if one is
            the last of its rank; else None.

        Raises:
            DecodeError, ValueError: The message has no heartbeats.
        """
        beats = decode_heartbeats(message)
        self._came.update((beat.rank, (beat, now)) for beat in beats)
        is_last = any(beat.last for beat in beats)
        if not is_last and now - self._passed_on_at < self._every_s:
            return None
        merged = []
        for beat, came_at in self._came.values():
            beat.phase_s += now - came_at
            merged.append(beat)
        self._passed_on_at, self._came = now, {}
        return encode_heartbeats(merged)
