"""Where the numbers of a run go: console, TensorBoard, JSON lines, Prometheus."""

from raymon.results.health import Health
from raymon.results.snapshot import (
    AttemptBegan,
    Coverage,
    Evaluation,
    EvaluationProgress,
    InputErrors,
    Notice,
    Published,
    RankState,
    Snapshot,
)
from raymon.sinks.background.background import BackgroundSink
from raymon.sinks.console import Console
from raymon.sinks.json_lines.json_lines import EvaluationLines, WindowLines
from raymon.sinks.progress_logger import ProgressLogger
from raymon.sinks.prometheus.run_gauges import RunGauges, run_label
from raymon.sinks.sink import Sink
from raymon.sinks.status_lines import StatusLines
from raymon.sinks.tensorboard.tensorboard import TensorBoard

__all__ = [
    "AttemptBegan",
    "BackgroundSink",
    "Console",
    "Coverage",
    "Evaluation",
    "EvaluationLines",
    "EvaluationProgress",
    "Health",
    "InputErrors",
    "Notice",
    "ProgressLogger",
    "Published",
    "RankState",
    "RunGauges",
    "Sink",
    "Snapshot",
    "StatusLines",
    "TensorBoard",
    "WindowLines",
    "run_label",
]
