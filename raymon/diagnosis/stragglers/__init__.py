"""Ranks whose own work takes longer than that of the others, so that these wait."""

from raymon.diagnosis.stragglers.others import median_of_others
from raymon.diagnosis.stragglers.straggler import STRAGGLER, Straggler
from raymon.diagnosis.stragglers.straggler_check import StragglerCheck
from raymon.diagnosis.stragglers.tracker import StragglerRule, StragglerTracker

__all__ = [
    "STRAGGLER",
    "Straggler",
    "StragglerCheck",
    "StragglerRule",
    "StragglerTracker",
    "median_of_others",
]
