"""On the worker: accumulate, cut windows, send. Imports no Ray and never waits."""

from raymon.monitor.channel import Ack, Channel, WindowChannel
from raymon.monitor.histogram import HistogramCounter
from raymon.monitor.layout import Layout
from raymon.monitor.monitor import Monitor
from raymon.monitor.sender import Sender
from raymon.monitor.window import SCHEMA_VERSION, Window, encode_window

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
