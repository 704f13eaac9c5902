"""Scores of half precision count as the same numbers in float32."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchmetrics import Metric

from tests.metrics.kinds import (
    BINARY,
    EXACT,
    EXACT_MULTICLASS,
    GROUPED,
    IN_BATCH,
    MULTICLASS,
    Kind,
)


def given(kind: Kind) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(300, generator=generator)
    if kind in MULTICLASS + EXACT_MULTICLASS:
        labels = torch.randint(0, 6, (300,), generator=generator)
        return torch.rand(300, 6, generator=generator).softmax(1), labels
    labels = (torch.rand(300, generator=generator) < scores).float()
    keys = (torch.randint(0, 20, (300,), generator=generator),) if kind in GROUPED else ()
    return scores, labels, *keys


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "kind",
    [*BINARY, *IN_BATCH, *EXACT, *MULTICLASS, *EXACT_MULTICLASS, *GROUPED],
    ids=lambda kind: repr(kind())[:20],
)
def test_scores_of_half_precision_count_as_in_float32(kind: Kind, dtype: torch.dtype) -> None:
    scores, *others = given(kind)
    half, single = kind(), kind()
    half.update(scores.to(dtype), *others)
    single.update(scores.to(dtype).float(), *others)
    assert torch.equal(value_of(half), value_of(single))


def value_of(metric: Metric) -> Tensor:
    if hasattr(metric, "decay"):
        metric.decay(0.9)
    value: Tensor = metric.compute()
    assert value.isfinite()
    return value
