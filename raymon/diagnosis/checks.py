"""The checks of a run."""

from __future__ import annotations

from raymon.diagnosis.check import Check
from raymon.diagnosis.hangs.hang_check import HangCheck
from raymon.diagnosis.numbers.fallback_climbs import FallbackClimbs
from raymon.diagnosis.numbers.loss_plateau import LossPlateau
from raymon.diagnosis.numbers.loss_spike import LossSpike
from raymon.diagnosis.numbers.non_finite import NonFinite
from raymon.diagnosis.numbers.one_class import OneClass
from raymon.diagnosis.numbers.window_means import CalibrationDrift, LowAuc
from raymon.diagnosis.numbers.zero_learning_rate import ZeroLearningRate
from raymon.diagnosis.stragglers import StragglerCheck
from raymon.protos.monitor_pb2 import MonitorConfig


def checks_of(config: MonitorConfig) -> list[Check]:
    """Returns the checks that a config asks for."""
    of_numbers: list[Check] = [
        NonFinite(),
        LossSpike(),
        LossPlateau(),
        LowAuc(),
        OneClass(),
        CalibrationDrift(),
        ZeroLearningRate(),
        FallbackClimbs(),
    ]
    return [HangCheck(config.hang_after_s), StragglerCheck(), *of_numbers]
