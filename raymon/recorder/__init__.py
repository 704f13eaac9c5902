"""On the worker: accumulate, cut windows, send. Imports no Ray and never waits."""

from raymon.recorder.recorder import Monitor
from raymon.recorder.sender import Sender
from raymon.recorder.window import SCHEMA_VERSION, Window, encode_window
from raymon.wire.channel import Ack, Channel, WindowChannel
from raymon.wire.histogram import HistogramCounter
from raymon.wire.layout import Layout

__all__ = [
    "SCHEMA_VERSION",
    "Ack",
    "Channel",
    "HistogramCounter",
    "Layout",
    "Monitor",
    "Sender",
    "Window",
    "WindowChannel",
    "encode_window",
]
