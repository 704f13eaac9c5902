"""Why a run is slow or sick, from its numbers alone."""

from raymon.diagnosis.alert_book import AlertBook
from raymon.diagnosis.check import Check
from raymon.diagnosis.checks import checks_of

__all__ = ["AlertBook", "Check", "checks_of"]
