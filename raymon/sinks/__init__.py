"""Where the numbers of a run go: console, TensorBoard, JSON lines."""

from raymon.sinks.background import BackgroundSink
from raymon.sinks.console import Console
from raymon.sinks.json_lines import EvaluationLines, WindowLines
from raymon.sinks.progress_logger import ProgressLogger
from raymon.sinks.sink import Sink
from raymon.sinks.snapshot import (
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
from raymon.sinks.status_lines import StatusLines
from raymon.sinks.tensorboard import TensorBoard

__all__ = [
    "AttemptBegan",
    "BackgroundSink",
    "Console",
    "Coverage",
    "Evaluation",
    "EvaluationLines",
    "EvaluationProgress",
    "InputErrors",
    "Notice",
    "ProgressLogger",
    "Published",
    "RankState",
    "Sink",
    "Snapshot",
    "StatusLines",
    "TensorBoard",
    "WindowLines",
]
