"""States outside of their metric: taken whole, merged in any order, computed separately."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
from torch import Tensor
from torchmetrics import MaxMetric, MeanMetric, Metric, MinMetric

from raymon.errors import UserError
from raymon.metrics import (
    AUC,
    XAUC,
    Accuracy,
    DecayAUC,
    GroupedAUC,
    MeanAbsoluteError,
    MeanSquaredError,
    NormalizedEntropy,
    compute_states,
    merge_states,
    take_window_states,
    window_states,
)
from tests.metrics.kinds import BINARY, GROUPED, IN_BATCH, MULTICLASS


class _Averaged(Metric):
    """A metric whose state cannot be merged exactly."""

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self.add_state("mean", torch.tensor(0.0), dist_reduce_fx="mean")

    def update(self, value: Tensor) -> None:
        self.mean = value

    def compute(self) -> Tensor:
        return self.mean


def _batch(seed: int, rows: int = 40) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    preds = torch.rand(rows, generator=generator)
    return preds, (torch.rand(rows, generator=generator) < preds).float()


def test_only_the_buffer_of_a_decayed_auc_travels() -> None:
    metric = DecayAUC()
    metric.decay(0.9)
    assert set(window_states(metric)) == {"histogram", "histogram_slices", "invalid"}
    assert set(window_states(NormalizedEntropy())) == {
        "cross_entropy_3.720075976020836e-44",
        "positives",
        "weight",
        "invalid",
    }


def test_taken_states_are_the_tensors_themselves_and_the_metric_is_reset() -> None:
    metric = DecayAUC()
    metric.update(*_batch(0))
    before, copy = metric.histogram, metric.histogram.clone()
    taken = take_window_states(metric)
    metric.update(*_batch(1))
    assert taken["histogram"] is before
    assert torch.equal(before, copy)
    alone = DecayAUC()
    alone.update(*_batch(1))
    assert torch.equal(metric.histogram, alone.histogram)


def test_a_value_computed_before_a_window_is_not_given_after_it() -> None:
    metric = MeanAbsoluteError()
    metric.update(torch.tensor([1.0]), torch.tensor([0.0]))
    assert metric.compute().item() == 1.0
    take_window_states(metric)
    metric.update(torch.tensor([3.0]), torch.tensor([0.0]))
    assert metric.compute().item() == 3.0


@pytest.mark.parametrize("kind", [AUC, Accuracy, NormalizedEntropy, MeanAbsoluteError])
def test_merged_parts_have_the_value_of_all_samples_together(kind: type[Metric]) -> None:
    whole, parts = kind(), []
    for seed in range(5):
        part = kind()
        for metric in (whole, part):
            metric.update(*_batch(seed))
        parts.append(take_window_states(part))
    merged = merge_states(whole, parts)
    value = compute_states(kind(), merged).value.item()
    assert value == pytest.approx(whole.compute().item(), abs=1e-12)


@pytest.mark.parametrize("kind", [DecayAUC, MeanSquaredError])
def test_the_order_of_parts_changes_no_bit(kind: type[Metric]) -> None:
    parts = []
    for seed in range(4):
        metric = kind()
        metric.update(*_batch(seed))
        parts.append(take_window_states(metric))
    straight = merge_states(kind(), parts)
    for order in permutations(parts):
        shuffled = merge_states(kind(), order)
        assert all(torch.equal(straight[name], shuffled[name]) for name in straight)


def test_rows_are_merged_end_to_end_and_a_rank_may_have_none() -> None:
    whole, one, none = GroupedAUC(), GroupedAUC(), GroupedAUC()
    key = torch.arange(40) % 7
    for metric in (whole, one):
        metric.update(*_batch(0), key)
    parts = [take_window_states(none), take_window_states(one)]
    merged = merge_states(whole, parts)
    assert merged["grouping_key"].dtype == torch.int64
    assert torch.equal(compute_states(GroupedAUC(), merged).value, whole.compute())
    assert torch.equal(merge_states(whole, parts[:1])["preds"], torch.empty(0))


def test_metrics_of_torchmetrics_are_merged_by_their_own_reductions() -> None:
    for metric, expected in ((MinMetric(), 1.0), (MaxMetric(), 4.0), (MeanMetric(), 2.5)):
        parts = []
        for values in ([4.0, 2.0], [1.0, 3.0]):
            metric.update(torch.tensor(values))
            parts.append(take_window_states(metric))
        assert compute_states(metric, merge_states(metric, parts)).value.item() == expected


def test_no_part_merges_to_the_states_of_a_new_metric() -> None:
    metric = Accuracy()
    metric.update(*_batch(0))
    merged, new = merge_states(metric, []), window_states(Accuracy())
    assert merged.keys() == new.keys()
    assert all(torch.equal(merged[name], new[name]) for name in new)


def test_computing_changes_neither_the_prototype_nor_its_states() -> None:
    prototype, other = Accuracy(), Accuracy()
    other.update(*_batch(0))
    compute_states(prototype, window_states(other))
    assert not prototype.weight.any()


def test_a_state_that_cannot_be_merged_is_refused_by_name() -> None:
    metric = _Averaged()
    with pytest.raises(UserError, match="_Averaged: state 'mean' cannot be merged over windows"):
        merge_states(metric, [window_states(metric), window_states(metric)])


@pytest.mark.parametrize("kind", [AUC, MeanAbsoluteError, GroupedAUC])
@pytest.mark.parametrize("move", [lambda m: m.to(torch.bfloat16), lambda m: m.half()])
def test_a_module_that_changes_its_type_leaves_its_metrics_exact(kind, move) -> None:
    module = torch.nn.ModuleDict({"metric": kind(), "layer": torch.nn.Linear(2, 2)})
    key = [torch.arange(40) % 7] if kind is GroupedAUC else []
    module["metric"].update(*_batch(0), *key)
    value = kind()
    value.update(*_batch(0), *key)
    moved = move(module)
    assert moved["metric"].compute().item() == value.compute().item()
    assert moved["layer"].weight.dtype != torch.float32


@pytest.mark.parametrize("default", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("rows", [0, 200])
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_the_default_type_of_torch_changes_no_value(default: torch.dtype, rows: int) -> None:
    # Lightning's "bf16-true" sets it for a step.
    def values() -> list[Tensor]:
        found = []
        for kinds, columns in (
            (BINARY + IN_BATCH + [XAUC], (preds[:, 0], target == 0)),
            (MULTICLASS, (preds, target)),
            (GROUPED, (preds[:, 0], target == 0, key)),
        ):
            for kind in kinds:
                metric = kind()
                found += [compute_states(metric, window_states(metric)).value, metric.compute()]
                metric.update(*columns)
                found.append(metric.compute())
        return found

    generator = torch.Generator().manual_seed(0)
    preds = torch.rand(rows, 6, generator=generator)
    target, key = torch.randint(0, 6, (2, rows), generator=generator)
    expected = values()
    before = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        given = values()
    finally:
        torch.set_default_dtype(before)
    assert torch.equal(torch.stack(given).nan_to_num(-1), torch.stack(expected).nan_to_num(-1))
