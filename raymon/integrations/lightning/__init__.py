"""The callback for Lightning."""

from raymon.integrations.lightning.callback import MonitorCallback

__all__ = ["MonitorCallback"]
