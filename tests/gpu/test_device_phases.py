"""On a GPU the time of steps is split as the device spends it."""

from __future__ import annotations

import pytest
import torch

from raymon.recorder import PhaseClock, phase_marks
from raymon.results import BACKWARD, FORWARD, OPTIMIZER

pytestmark = pytest.mark.gpu


def test_the_phase_in_which_the_device_works_most_takes_most(device: torch.device) -> None:
    clock = PhaseClock(device=phase_marks(device))
    clock.enter(FORWARD)
    clock.take()
    a = torch.randn(*[4096 if device.type == "cuda" else 256] * 2, device=device)
    for _ in range(5):
        for phase, products in ((FORWARD, 1), (BACKWARD, 20), (OPTIMIZER, 1)):
            clock.enter(phase)
            for _ in range(products):
                a @ a
    of_host = clock.take()
    marks = clock.take_marks()
    assert (marks is None) == (device.type == "cpu")
    found = of_host if marks is None else marks.phases(of_host)
    assert found[BACKWARD] > 4 * found[FORWARD]
    assert sum(found.values()) == pytest.approx(sum(of_host.values()))
