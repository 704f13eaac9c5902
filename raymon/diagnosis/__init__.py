"""Why a run is slow or sick, from its numbers alone."""

from raymon.diagnosis.alert_book import AlertBook
from raymon.diagnosis.check import Check, SlowCheck
from raymon.diagnosis.checks import checks_of
from raymon.diagnosis.hangs.progress import last_phase
from raymon.diagnosis.step_window import StepWindow
from raymon.diagnosis.stragglers import (
    Straggler,
    StragglerCheck,
    StragglerRule,
    StragglerTracker,
    median_of_others,
)
from raymon.diagnosis.verdicts import RunRecord, Verdict, explain

__all__ = [
    "AlertBook",
    "Check",
    "RunRecord",
    "SlowCheck",
    "StepWindow",
    "Straggler",
    "StragglerCheck",
    "StragglerRule",
    "StragglerTracker",
    "Verdict",
    "checks_of",
    "explain",
    "last_phase",
    "median_of_others",
]
