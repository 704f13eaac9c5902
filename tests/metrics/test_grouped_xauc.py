"""GroupedXAUC: the mean over groups of XAUC, a group counting by its rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from raymon.errors import UserError
from raymon.metrics.base.checked_metric import LABELS, NAN_SCORES, WEIGHTS
from raymon.metrics.decay.states import compute_states, merge_states, take_window_states
from raymon.metrics.grouped_auc import GroupedAUC
from raymon.metrics.grouped_xauc import GroupedXAUC
from raymon.metrics.xauc import XAUC
from tests.forked import run_ranks

NAN, INF = float("nan"), float("inf")
REAL = st.sampled_from([-INF, -2.0, -0.0, 0.0, 0.5, 0.5000001, 1.0])
KEY = st.sampled_from([-(2**63), -1, 0, 7, 2**63 - 1])
ROW = st.tuples(REAL, REAL.filter(np.isfinite), KEY, st.sampled_from([0.0, 0.25, 1.0, 3.3]))
Row = tuple[float, float, int, float]
MAX_PAIRS = st.none() | st.integers(1, 30)


def _columns(rows: list[Row]) -> list[Tensor]:
    types = (torch.float32, torch.float32, torch.int64, torch.float32)
    return [torch.tensor([row[i] for row in rows], dtype=kind) for i, kind in enumerate(types)]


def _value(metric: Metric, *columns: Tensor | None) -> float:
    metric.update(*columns)
    return metric.compute().item()


def _users(rows: int = 20_000, groups: int = 2_000, seed: int = 0) -> list[Tensor]:
    """Returns scores, labels that agree somewhat, and keys: a few groups have many rows."""
    rng = np.random.default_rng(seed)
    keys = rng.integers(-(2**63), 2**63 - 1, groups)
    key = keys[np.minimum(rng.geometric(4 / groups, rows), groups) - 1]
    score = rng.normal(size=rows)
    label = np.round(np.exp(3 + 0.6 * score + rng.normal(size=rows)))
    return [torch.tensor(column) for column in (score, label, key)]


def _by_groups(
    score: Tensor, label: Tensor, key: Tensor, weights: Tensor | None
) -> tuple[float, int]:
    """Returns the mean of XAUC over groups, by the rows of each that weigh anything."""
    if weights is not None:
        there = weights > 0
        score, label, key, weights = score[there], label[there], key[there], weights[there]
    total = rows = skipped = 0
    for group in (key == value for value in key.unique()):
        columns = [x[group] for x in (score, label, weights) if x is not None]
        value = _value(XAUC(), *columns)
        if np.isnan(value):
            skipped += 1
        else:
            total += value * len(columns[0])
            rows += len(columns[0])
    return total / rows if rows else NAN, skipped


@settings(deadline=None, max_examples=80)
@given(st.lists(ROW, max_size=40), st.booleans())
def test_is_the_mean_over_groups_by_their_rows(rows: list[Row], weighted: bool) -> None:
    score, label, key, weights = _columns(rows)
    given_weights = weights if weighted else None
    expected, skipped = _by_groups(score, label, key, given_weights)
    metric = GroupedXAUC()
    value = _value(metric, score, label, key, given_weights)
    assert value == pytest.approx(expected, abs=1e-14, nan_ok=True)
    assert metric.groups_skipped == skipped
    assert metric.input_errors() == {}


def test_groups_of_equal_labels_are_left_out() -> None:
    score, label = torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.tensor([1.0, 2.0, 5.0, 5.0])
    metric, key = GroupedXAUC(), torch.tensor([7, 7, 8, 8])
    assert _value(metric, score, label, key) == 1
    assert metric.details() == {"groups": 1, "groups_skipped": 1}
    metric.reset()
    assert np.isnan(_value(metric, score[2:], label[2:], key[2:]))
    assert metric.why_no_value() == "no group has rows of different labels"


def test_large_and_small_groups_are_each_counted_exactly() -> None:
    columns = _users(5_000, 300)
    expected, skipped = _by_groups(*columns, None)
    metric = GroupedXAUC()
    assert _value(metric, *columns) == pytest.approx(expected, abs=1e-14)
    assert metric.groups_skipped == skipped > 0


def test_one_group_is_xauc() -> None:
    score, label, _ = _users()
    value = _value(GroupedXAUC(), score, label, torch.full((len(score),), 3))
    assert value == pytest.approx(_value(XAUC(), score, label), abs=1e-15)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(ROW, max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    max_pairs=MAX_PAIRS,
    weighted=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_no_split_or_order_of_the_rows_changes_a_bit(
    rows, cuts, max_pairs, weighted, random
) -> None:
    given_columns = 4 if weighted else 3
    whole = _value(GroupedXAUC(max_pairs), *_columns(rows)[:given_columns])
    random.shuffle(rows)
    columns = _columns(rows)[:given_columns]
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    split, parts = GroupedXAUC(max_pairs), []
    for start, end in pairwise(edges):
        part = [column[start:end] for column in columns]
        split.update(*part)
        alone = GroupedXAUC(max_pairs)
        alone.update(*part)
        parts.append(take_window_states(alone))
    states = merge_states(GroupedXAUC(max_pairs), parts[::-1])
    merged = compute_states(GroupedXAUC(max_pairs), states).value.item()
    assert np.array_equal([split.compute().item(), merged], [whole, whole], equal_nan=True)


@pytest.mark.parametrize("max_pairs", [None, 1, 10])
def test_other_groups_do_not_change_what_is_drawn_from_one(max_pairs: int | None) -> None:
    score, label, key = _users(3_000, 50)
    figures = {}
    for value in key.unique():
        group = key == value
        metric = GroupedXAUC(max_pairs)
        figures[value] = _value(metric, score[group], label[group], key[group]), int(group.sum())
    there = [(x, rows) for x, rows in figures.values() if not np.isnan(x)]
    mean = sum(x * rows for x, rows in there) / sum(rows for _, rows in there)
    assert _value(GroupedXAUC(max_pairs), score, label, key) == pytest.approx(mean, abs=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("max_pairs", [1, 10, 100])
def test_a_sample_is_as_near_as_its_size_allows(max_pairs: int, weighted: bool) -> None:
    columns = _users()
    if weighted:
        columns.append(torch.rand(20_000, generator=torch.Generator().manual_seed(0)) + 0.5)
    sizes = columns[2].unique(return_counts=True)[1].double()
    share = (sizes / sizes.sum()).square() / torch.minimum(
        (sizes * (sizes - 1) / 2).clamp(min=1), torch.tensor(float(max_pairs))
    )
    exact = _value(GroupedXAUC(), *columns)
    sampled = _value(GroupedXAUC(max_pairs), *columns)
    # A share within a group has a variance of 1/4 at most; unequal weights add a little.
    assert 0 < abs(sampled - exact) < 4 * (share.sum().item() / 4) ** 0.5 * 1.1


def test_a_group_of_one_pair_needs_no_luck() -> None:
    score, label, key = torch.rand(100), torch.rand(100), torch.arange(100) // 2
    exact = _value(GroupedXAUC(), score, label, key)
    assert _value(GroupedXAUC(1), score, label, key) == exact


def test_a_row_of_weight_0_is_as_good_as_none() -> None:
    columns = _users(3_000, 500)
    weights = torch.rand(3_000, generator=torch.Generator().manual_seed(0)).sub(0.3).clamp(min=0)
    there = weights > 0
    for max_pairs in (None, 5):
        assert _value(GroupedXAUC(max_pairs), *columns, weights) == _value(
            GroupedXAUC(max_pairs), *(x[there] for x in columns), weights[there]
        )


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_without_a_pair_there_is_no_value(rows: int) -> None:
    metric = GroupedXAUC()
    assert np.isnan(_value(metric, torch.rand(rows), torch.rand(rows), torch.arange(rows)))
    assert metric.groups_skipped == rows


@pytest.mark.parametrize("max_pairs", [None, 5])
@pytest.mark.parametrize(
    ("column", "bad", "position"),
    [
        (0, NAN, NAN_SCORES),
        (1, NAN, LABELS),
        (1, INF, LABELS),
        (3, NAN, WEIGHTS),
        (3, -1.0, WEIGHTS),
    ],
)
def test_bad_input_is_counted_and_never_gives_a_number(
    max_pairs: int | None, column: int, bad: float, position: int
) -> None:
    metric = GroupedXAUC(max_pairs)
    columns = [*_users(100, 5), torch.ones(100)]
    assert np.isfinite(_value(metric, *columns))
    columns[column] = columns[column].clone()
    columns[column][7] = bad
    assert np.isnan(_value(metric, *columns))
    expected = [0] * 4
    expected[position] = 1
    assert metric.found_invalid.tolist() == expected


def test_in_a_collection_the_grouped_metrics_share_their_rows() -> None:
    score, label, key = _users(1_000, 50)
    metrics = {"exact": GroupedXAUC(), "sampled": GroupedXAUC(5), "auc": GroupedAUC()}
    collection = MetricCollection(metrics)
    for _ in range(2):
        collection.update(score, (label > 20).float(), key)
    assert len(collection.compute_groups) == 1
    columns = [x.repeat(2) for x in (score, (label > 20).float(), key)]
    for name, value in collection.compute().items():
        assert value == _value(type(metrics[name])(*[5] * (name == "sampled")), *columns)


def test_fewer_than_1_pair_is_refused() -> None:
    with pytest.raises(UserError, match="max_pairs_per_group is 0; it must be at least 1"):
        GroupedXAUC(0)


KINDS: list[Callable[[], Metric]] = [
    XAUC,
    lambda: XAUC(max_pairs=500),
    lambda: XAUC(in_batch=True),
    GroupedXAUC,
    lambda: GroupedXAUC(5),
]


SHARES = ((0, 1, 0), (0, 0, 0), (1, 1, 1))
"""Which of two ranks has each part of the rows."""


def _values(rank: int | None) -> list[float]:
    """Returns what both ranks must agree on with one that has all rows, None."""
    columns = [*_users(3_000, 100), torch.rand(3_000, generator=torch.Generator().manual_seed(1))]
    values = []
    for share in SHARES:
        for weighted in (False, True):
            for metric in (kind() for kind in KINDS):
                for owner, (start, end) in zip(
                    share, pairwise([0, 2_500, 2_990, 3_000]), strict=True
                ):
                    score, label, key, weights = (column[start:end] for column in columns)
                    grouped = [key] if isinstance(metric, GroupedXAUC) else []
                    if rank in (owner, None):
                        metric.update(score, label, *grouped, *[weights] * weighted)
                values.append(metric.compute().item())
    return values


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_two_ranks_give_bit_for_bit_the_values_of_one(tmp_path: Path) -> None:
    run_ranks(_evaluate, [(tmp_path, rank) for rank in range(2)])
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == _values(None)


def _evaluate(folder: Path, this_rank: int) -> None:
    """Runs as one of two ranks."""
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "rendezvous"), 2)
    dist.init_process_group("gloo", store=store, rank=this_rank, world_size=2)
    torch.save(_values(this_rank), folder / f"{this_rank}.pt")
    dist.destroy_process_group()
