import math

import torch

from raymon.recorder.background_scalars import BackgroundScalars
from raymon.recorder.offload import Offload
from raymon.recorder.window import Window, encode_window
from raymon.wire.fixed_point import FINE_BITS, decode, real
from raymon.wire.layout import Layout


def window_of(losses: list[float], weights: list[float]) -> Window:
    return Window(
        attempt=1,
        rank=0,
        index=0,
        first_step=0,
        end_step=len(losses),
        samples=int(sum(weights)),
        epoch=0,
        wall_s=1.0,
        phases={"step": 1.0},
        losses={"bce": BackgroundScalars(list(torch.tensor(losses)), None)},
        weights={"bce": BackgroundScalars(weights, None)},
        metrics={},
        layout=Layout({}),
    )


def test_a_loss_travels_as_its_weighted_sum() -> None:
    message = encode_window(window_of([0.5, 0.25, 1.0], [4.0, 4.0, 2.0]))
    loss = message.losses[0]
    assert real(decode(loss.sum), FINE_BITS) == 0.5 * 4 + 0.25 * 4 + 1.0 * 2
    assert real(decode(loss.weight), FINE_BITS) == 10.0


def test_losses_that_are_not_finite_are_counted_and_left_out() -> None:
    message = encode_window(window_of([0.5, math.nan, math.inf], [4.0, 4.0, 2.0]))
    loss = message.losses[0]
    assert loss.non_finite == 2
    assert real(decode(loss.sum), FINE_BITS) == 2.0
    assert real(decode(loss.weight), FINE_BITS) == 4.0


def test_huge_losses_lose_low_bits_and_not_their_size() -> None:
    message = encode_window(window_of([3e12], [1000.0]))
    assert math.isclose(real(decode(message.losses[0].sum), FINE_BITS), 3e15, rel_tol=1e-6)


def test_steps_that_fp16_skips_travel_with_the_scale_of_the_loss() -> None:
    window = window_of([0.5], [4.0])
    window.skipped_steps = 3
    window.loss_scale = Offload({"loss_scale": torch.tensor(512.0)}, None)
    message = encode_window(window)
    assert (message.skipped_steps, message.loss_scale) == (3, 512.0)
