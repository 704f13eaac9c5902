"""Results of a run, for other packages to show: snapshots, evaluations, notices, health, counts."""

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
from raymon.results.health import Health
from raymon.results.monitoring import Monitoring
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
    "DEVICE_FIGURES",
    "FILES_UNREADABLE",
    "IDS_OUT_OF_RANGE",
    "ROWS_LEFT_OVER",
    "ROWS_LEFT_OVER_AN_EPOCH",
    "ROWS_UNREADABLE",
    "SAVES_FAILED",
    "SAVES_LEFT_OUT",
    "AttemptBegan",
    "Coverage",
    "DeviceNumbers",
    "Evaluation",
    "EvaluationProgress",
    "Health",
    "InputErrors",
    "Monitoring",
    "MonitoringFigures",
    "Notice",
    "Published",
    "RankState",
    "ReporterStatus",
    "RunFigures",
    "Snapshot",
    "TableHealth",
    "in_words",
    "of_feature",
]
