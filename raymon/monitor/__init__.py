"""The public `raymon.Monitor`, for any training loop."""

from raymon.monitor.monitor import Monitor
from raymon.monitor.train_metrics import TrainMetrics, build_train_metrics

__all__ = ["Monitor", "TrainMetrics", "build_train_metrics"]
