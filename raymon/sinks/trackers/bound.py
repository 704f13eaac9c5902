"""Tells the trackers among the sinks of a run which run it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from raymon.sinks.sink import Sink
from raymon.sinks.trackers.events import TrackedRun
from raymon.sinks.trackers.tracker_sink import TrackerSink


def bound(sinks: Sequence[Sink], run: TrackedRun) -> list[Sink]:
    """Returns the sinks, after the trackers among them were told of the run.

    Args:
        sinks: Sinks before their first call.
        run: The run.
    """
    seen: Counter[str] = Counter()
    for sink in sinks:
        if isinstance(sink, TrackerSink):
            sink.bind(run, seen[sink.client.package])
            seen[sink.client.package] += 1
    return list(sinks)
