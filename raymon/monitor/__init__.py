"""The public `raymon.Monitor`, for any training loop."""

from raymon.monitor.monitor import Monitor

__all__ = ["Monitor"]
