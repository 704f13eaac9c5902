"""A worker's side of monitoring: adds up, cuts windows, sends. Never uses Ray, never waits."""

from raymon.recorder.device_phases import phase_marks
from raymon.recorder.failures import Failures
from raymon.recorder.heartbeats import BEAT_S, Heart
from raymon.recorder.logged_scalars import LoggedScalars
from raymon.recorder.memory import host_bytes
from raymon.recorder.outbox import Outbox, Unacknowledged
from raymon.recorder.phase_clock import PhaseClock
from raymon.recorder.recorder import Recorder
from raymon.recorder.resource_watch import ResourceWatch
from raymon.recorder.table_lookups import TableLookups
from raymon.recorder.window import Window, encode_window

__all__ = [
    "BEAT_S",
    "Failures",
    "Heart",
    "LoggedScalars",
    "Outbox",
    "PhaseClock",
    "Recorder",
    "ResourceWatch",
    "TableLookups",
    "Unacknowledged",
    "Window",
    "encode_window",
    "host_bytes",
    "phase_marks",
]
