"""Metrics that keep rows keep nothing of the batch but these."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from raymon.metrics import CheckedMetric
from tests.metrics.kinds import EXACT, GROUPED


@pytest.mark.parametrize("kind", [*EXACT, *GROUPED])
def test_kept_rows_keep_no_more_memory_than_their_own(kind: Callable[[], CheckedMetric]) -> None:
    # The columns of a batch, in one memory.
    batch = torch.zeros(64, 100)
    preds, target, weights = batch.unbind()[:3]
    keys = torch.zeros(16, 100, dtype=torch.int64)[3]
    metric = kind()
    metric.update(preds, target, *([keys] if kind in GROUPED else []), weights=weights)
    lists = [state for state in metric.metric_state.values() if isinstance(state, list)]
    kept = [tensor for state in lists for tensor in state]
    assert kept
    assert max(tensor.untyped_storage().nbytes() for tensor in kept) <= 8 * 100
