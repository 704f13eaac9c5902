"""The sinks, which the numbers of a run are written to: console, TensorBoard, JSON, Prometheus."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from raymon.sinks.alert_hooks.command import AlertCommand
from raymon.sinks.alert_hooks.hooks import make_alert_hooks, webhook_of_environment
from raymon.sinks.alert_hooks.webhook import AlertWebhook
from raymon.sinks.background.background import BackgroundSink
from raymon.sinks.json_lines.evaluation_records import EVALUATIONS_FILE, EvaluationRecords
from raymon.sinks.json_lines.json_lines import (
    SCORES_FILE,
    AlertLines,
    EvaluationLines,
    WindowLines,
    read_alerts,
)
from raymon.sinks.json_lines.rank_lines import RankLines
from raymon.sinks.json_lines.read_lines import read_lines
from raymon.sinks.notebook.svg import Line, chart_svg
from raymon.sinks.opentelemetry.of_config import opentelemetry_of
from raymon.sinks.opentelemetry.opentelemetry import OpenTelemetry
from raymon.sinks.prometheus.gauges import GAUGES
from raymon.sinks.prometheus.run_gauges import RunGauges, run_label
from raymon.sinks.sink import RunSink, Sink
from raymon.sinks.terminal.console import Console
from raymon.sinks.terminal.log_output import LiveOutput, open_output
from raymon.sinks.terminal.progress_logger import ProgressLogger
from raymon.sinks.terminal.status_lines import StatusLines
from raymon.sinks.trackers.bound import bound
from raymon.sinks.trackers.events import TrackedRun
from raymon.sinks.trackers.mlflow import MLflow
from raymon.sinks.trackers.model_card import ModelCard
from raymon.sinks.trackers.of_config import trackers_of
from raymon.sinks.trackers.registration import register_with
from raymon.sinks.trackers.trackio import Trackio
from raymon.sinks.trackers.wandb import WandB
from raymon.sinks.values_text import BOUND_SHOWN_ABOVE

if TYPE_CHECKING:
    from raymon.sinks.tensorboard.run_card import RunCard
    from raymon.sinks.tensorboard.tensorboard import TensorBoard

__all__ = [
    "BOUND_SHOWN_ABOVE",
    "EVALUATIONS_FILE",
    "GAUGES",
    "SCORES_FILE",
    "AlertCommand",
    "AlertLines",
    "AlertWebhook",
    "BackgroundSink",
    "Console",
    "EvaluationLines",
    "EvaluationRecords",
    "Line",
    "LiveOutput",
    "MLflow",
    "ModelCard",
    "OpenTelemetry",
    "ProgressLogger",
    "RankLines",
    "RunCard",
    "RunGauges",
    "RunSink",
    "Sink",
    "StatusLines",
    "TensorBoard",
    "TrackedRun",
    "Trackio",
    "WandB",
    "WindowLines",
    "bound",
    "chart_svg",
    "make_alert_hooks",
    "open_output",
    "opentelemetry_of",
    "read_alerts",
    "read_lines",
    "register_with",
    "run_label",
    "trackers_of",
    "webhook_of_environment",
]


def __getattr__(name: str) -> Any:
    # Imported at first use: tensorboardX imports torch, which takes a second that whoever only
    # looks at runs need not wait.
    if name == "TensorBoard":
        return import_module("raymon.sinks.tensorboard.tensorboard").TensorBoard
    if name == "RunCard":
        return import_module("raymon.sinks.tensorboard.run_card").RunCard
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
