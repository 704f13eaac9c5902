"""Sweeps: the same run with different values of some fields, on one cluster, by Ray Tune."""

from raymon.tuning.results import SweepResult, TrialResult
from raymon.tuning.sweep import PLOT_FILE, as_json, tune
from raymon.tuning.table import table_rows

__all__ = ["PLOT_FILE", "SweepResult", "TrialResult", "as_json", "table_rows", "tune"]
