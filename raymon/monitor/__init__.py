"""The public `raymon.Monitor`, for any training loop."""

from raymon.monitor.monitor import Monitor
from raymon.monitor.train_metrics import TrainMetrics

__all__ = ["Monitor", "TrainMetrics"]
