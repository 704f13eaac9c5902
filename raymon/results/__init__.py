"""Results of a run, for other packages to show: snapshots, evaluations, notices, health, counts."""

from raymon.results.alert import Alert
from raymon.results.count_names import (
    FILES_UNREADABLE,
    IDS_OUT_OF_RANGE,
    ROWS_LEFT_OVER,
    ROWS_LEFT_OVER_AN_EPOCH,
    ROWS_UNREADABLE,
    SAVES_FAILED,
    SAVES_LEFT_OUT,
    in_words,
    of_feature,
)
from raymon.results.device_numbers import DEVICE_FIGURES, DeviceNumbers
from raymon.results.finding import Finding, Key
from raymon.results.health import Health
from raymon.results.monitoring import Monitoring
from raymon.results.phases import (
    BACKWARD,
    CHECKPOINT,
    DATA,
    EVALUATION,
    FORWARD,
    GARBAGE_COLLECTION,
    MONITOR,
    MOVE,
    OPTIMIZER,
    OUTSIDE_PHASES,
    PEERS,
    START,
    STEP,
    STEP_PHASES,
)
from raymon.results.rank_numbers import RankNumbers
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
from raymon.results.status import MonitoringFigures, ReporterStatus, RunFigures
from raymon.results.table_health import TableHealth

__all__ = [
    "BACKWARD",
    "CHECKPOINT",
    "DATA",
    "DEVICE_FIGURES",
    "EVALUATION",
    "FILES_UNREADABLE",
    "FORWARD",
    "GARBAGE_COLLECTION",
    "IDS_OUT_OF_RANGE",
    "MONITOR",
    "MOVE",
    "OPTIMIZER",
    "OUTSIDE_PHASES",
    "PEERS",
    "ROWS_LEFT_OVER",
    "ROWS_LEFT_OVER_AN_EPOCH",
    "ROWS_UNREADABLE",
    "SAVES_FAILED",
    "SAVES_LEFT_OUT",
    "START",
    "STEP",
    "STEP_PHASES",
    "Alert",
    "AttemptBegan",
    "Coverage",
    "DeviceNumbers",
    "Evaluation",
    "EvaluationProgress",
    "Finding",
    "Health",
    "InputErrors",
    "Key",
    "Monitoring",
    "MonitoringFigures",
    "Notice",
    "Published",
    "RankNumbers",
    "RankState",
    "ReporterStatus",
    "RunFigures",
    "Snapshot",
    "TableHealth",
    "in_words",
    "of_feature",
]
