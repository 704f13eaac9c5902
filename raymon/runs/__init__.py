"""Runs as their directories have them, going on or over, for those who only look."""

from raymon.runs.attempts import Attempt
from raymon.runs.checkpoints import CheckpointInfo
from raymon.runs.columns import Columns
from raymon.runs.comparing.compare import compare_runs
from raymon.runs.comparing.comparison import Comparison, Score, ScoreDifference, ScoreRow
from raymon.runs.comparing.config_fields import (
    ConfigFields,
    FieldDifference,
    field_differences,
    fields_of,
)
from raymon.runs.devices import DEVICES_FILE, read_devices
from raymon.runs.explanation import explain_run, read_run
from raymon.runs.finding import FoundRuns, find_runs
from raymon.runs.logs import LogLine
from raymon.runs.marks import Mark
from raymon.runs.objects import object_in, objects_by_rank, objects_in
from raymon.runs.overview import Overview, main_metric, overview_of
from raymon.runs.rank_line import RankLine
from raymon.runs.run import Run
from raymon.runs.run_file import (
    DIVERGED,
    DONE,
    FAILED,
    INTERRUPTED,
    KILLED,
    RUN_FILE,
    RUNNING,
    STARTING,
    STOPPED,
    UNKNOWN,
)
from raymon.runs.run_html import summary_html

__all__ = [
    "DEVICES_FILE",
    "DIVERGED",
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "KILLED",
    "RUNNING",
    "RUN_FILE",
    "STARTING",
    "STOPPED",
    "UNKNOWN",
    "Attempt",
    "CheckpointInfo",
    "Columns",
    "Comparison",
    "ConfigFields",
    "FieldDifference",
    "FoundRuns",
    "LogLine",
    "Mark",
    "Overview",
    "RankLine",
    "Run",
    "Score",
    "ScoreDifference",
    "ScoreRow",
    "compare_runs",
    "explain_run",
    "field_differences",
    "fields_of",
    "find_runs",
    "main_metric",
    "object_in",
    "objects_by_rank",
    "objects_in",
    "overview_of",
    "read_devices",
    "read_run",
    "summary_html",
]
