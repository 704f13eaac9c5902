"""Steps that FP16 skips are reported if there are many; TF32 is as the config says."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
import torch
from google.protobuf import text_format

from raymon.protos.train_pb2 import TrainConfig
from raymon.training.optim.precision import SkippedSteps, set_tf32


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


@pytest.fixture
def switches() -> Iterator[None]:
    """Puts the switches of this process back."""
    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


@pytest.mark.usefixtures("switches")
@pytest.mark.parametrize(
    ("text", "convolutions", "products"),
    [
        ("", True, False),
        ("cudnn_allow_tf32: false", False, False),
        ("cuda_matmul_allow_tf32: true", True, True),
        ("cudnn_allow_tf32: false cuda_matmul_allow_tf32: true", False, True),
    ],
)
def test_tf32_is_as_the_config_says_and_nothing_warns_or_disagrees(
    text: str, convolutions: bool, products: bool
) -> None:
    config = text_format.Parse(text, TrainConfig())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        set_tf32(config)
    # Reading these raises if the switches of torch 2.9 disagree with them.
    assert torch.backends.cudnn.allow_tf32 == convolutions
    assert torch.backends.cuda.matmul.allow_tf32 == products
    assert torch.get_float32_matmul_precision() == ("high" if products else "highest")
    if hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        assert (torch.backends.cuda.matmul.fp32_precision == "tf32") == products
        assert (torch.backends.cudnn.conv.fp32_precision == "tf32") == convolutions
