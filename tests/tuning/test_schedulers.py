"""Trials are ended by the metric at their steps, and a resumed sweep knows what was reported."""

from types import SimpleNamespace

import numpy as np
import pytest

from raymon.tuning.on_ray.schedulers import Asha
from raymon.tuning.results import Curve, TrialResult


class Trial(SimpleNamespace):
    """A trial of Ray Tune, as far as a scheduler sees it."""

    def __str__(self) -> str:
        return str(self.name)


def scheduler() -> Asha:
    return Asha(
        time_attr="global_step",
        metric="value",
        mode="max",
        max_t=80,
        grace_period=20,
        reduction_factor=2,
        stop_last_trials=False,
    )


def report(asha: Asha, name: str, step: int, value: float) -> str:
    return asha.on_trial_result(None, Trial(name=name), {"global_step": step, "value": value})


@pytest.mark.parametrize("resumed", [False, True])
def test_a_trial_worse_than_most_is_ended_also_after_a_resume(resumed: bool) -> None:
    asha = scheduler()
    for name, value in (("001", 0.7), ("002", 0.8)):
        if resumed:
            curve = Curve(np.array([20.0]), np.array([value]))
            asha.remember([TrialResult(name, "", {}, curve=curve)])
        else:
            asha.on_trial_add(None, Trial(name=name))
            assert report(asha, name, 20, value) == "CONTINUE"
    asha.on_trial_add(None, Trial(name="003"))
    asha.on_trial_add(None, Trial(name="004"))
    assert report(asha, "003", 10, 0.1) == "CONTINUE"
    assert report(asha, "003", 20, 0.6) == "STOP"
    assert report(asha, "004", 20, 0.9) == "CONTINUE"
    assert asha.pruned == {"003": 20}


def test_a_trial_that_makes_all_its_steps_ends_by_itself() -> None:
    asha = scheduler()
    asha.on_trial_add(None, Trial(name="001"))
    assert report(asha, "001", 80, 0.5) == "CONTINUE"
    assert asha.pruned == {}
