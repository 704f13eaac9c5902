"""The checks of a run."""

from __future__ import annotations

from raymon.diagnosis.check import Check
from raymon.diagnosis.hangs.hang_check import HangCheck
from raymon.diagnosis.numbers.non_finite import NonFinite
from raymon.diagnosis.stragglers import StragglerCheck
from raymon.protos.monitor_pb2 import MonitorConfig


def checks_of(config: MonitorConfig) -> list[Check]:
    """Returns the checks that a config asks for."""
    return [HangCheck(config.hang_after_s), NonFinite(), StragglerCheck()]
