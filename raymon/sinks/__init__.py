"""Where the numbers of a run go: console, TensorBoard, JSON lines."""

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
    Snapshot,
)
from raymon.sinks.tensorboard import TensorBoard

__all__ = [
    "AttemptBegan",
    "Console",
    "Coverage",
    "Evaluation",
    "EvaluationLines",
    "EvaluationProgress",
    "InputErrors",
    "Notice",
    "ProgressLogger",
    "Published",
    "Sink",
    "Snapshot",
    "TensorBoard",
    "WindowLines",
]
