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
from raymon.sinks.json_lines.json_lines import EvaluationLines, WindowLines
from raymon.sinks.prometheus.run_gauges import RunGauges, run_label
from raymon.sinks.sink import Sink
from raymon.sinks.tensorboard.tensorboard import TensorBoard
from raymon.sinks.terminal.console import Console
from raymon.sinks.terminal.progress_logger import ProgressLogger
from raymon.sinks.terminal.status_lines import StatusLines

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
