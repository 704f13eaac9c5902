"""The public `raymon.Monitor`, for anybody's training loop."""

from raymon.monitor.monitor import Monitor

__all__ = ["Monitor"]
