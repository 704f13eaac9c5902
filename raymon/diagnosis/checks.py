"""The checks of a run."""

from __future__ import annotations

from raymon.diagnosis.check import Check
from raymon.diagnosis.hangs.hang_check import HangCheck
from raymon.diagnosis.numbers.fallback_climbs import FallbackClimbs
from raymon.diagnosis.numbers.loss_plateau import LossPlateau
from raymon.diagnosis.numbers.loss_spike import LossSpike
from raymon.diagnosis.numbers.non_finite import NonFinite
from raymon.diagnosis.numbers.one_class import OneClass
from raymon.diagnosis.numbers.still_weights import StillWeights
from raymon.diagnosis.numbers.window_means import CalibrationDrift, LowAuc
from raymon.diagnosis.numbers.zero_learning_rate import ZeroLearningRate
from raymon.diagnosis.resources.full_disk import FullDisk
from raymon.diagnosis.resources.growth_check import GrowthCheck
from raymon.diagnosis.stragglers import StragglerCheck
from raymon.protos.monitor_pb2 import MonitorConfig


def checks_of(config: MonitorConfig, total_steps: int | None = None) -> list[Check]:
    """Returns the checks that a config asks for.

    Args:
        config: The config.
        total_steps: Steps of the run; None if they are not known.
    """
    of_resources: list[Check] = [GrowthCheck(total_steps), FullDisk()]
    of_numbers: list[Check] = [
        NonFinite(),
        LossSpike(),
        LossPlateau(),
        LowAuc(),
        OneClass(),
        CalibrationDrift(),
        ZeroLearningRate(),
        StillWeights(),
        FallbackClimbs(),
    ]
    return [HangCheck(config.hang_after_s), StragglerCheck(), *of_numbers, *of_resources]
