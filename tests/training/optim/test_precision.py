"""Steps that FP16 skips are reported if there are many."""

from __future__ import annotations

import pytest
import torch

from raymon.training.optim.precision import SkippedSteps


@pytest.mark.parametrize(
    ("made", "skipped", "told"),
    [
        (0, 0, False),
        (9, 0, False),
        (1000, 3, False),  # the scale is being found
        (1000, 60, False),
        (100, 40, True),
        (0, 1, True),
        (0, 16, True),
        (40, 5, False),
    ],
)
def test_many_skipped_steps_are_told_and_few_are_not(made: int, skipped: int, told: bool) -> None:
    watch = SkippedSteps()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024)
    for _ in range(2):  # each notice is given once
        for step in range(made + skipped):
            watch.count(step < made)
        notice = watch.notice(scaler)
        assert (notice is not None) == told
        if notice is not None:
            text = notice()
            assert f"FP16: {skipped} of {made + skipped} steps" in text
            assert "the loss scale is 1024 now" in text
        assert watch.notice(scaler) is None
