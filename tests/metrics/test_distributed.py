"""Evaluation on several ranks gives the value of all samples together, bit for bit, on each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.utilities.distributed import gather_all_tensors

from raymon.metrics import (
    AUC,
    PRAUC,
    XAUC,
    BinnedXAUC,
    GroupedAUC,
    LogLoss,
    MeanSquaredError,
    MulticlassAUC,
    NormalizedEntropy,
    ScoreHistogram,
    TrainMetricWrapper,
)
from raymon.metrics.base.grouped_metric import GroupedMetric
from raymon.metrics.hit_rate_at_k import HitRateAtK
from raymon.metrics.map import MAP
from raymon.metrics.mrr import MRR
from raymon.metrics.ndcg_at_k import NDCGAtK
from tests.forked import run_ranks

PARTS = 6
GROUPED: list[Callable[..., GroupedMetric]] = [
    GroupedAUC,
    NDCGAtK,
    lambda **kwargs: NDCGAtK(3, **kwargs),
    lambda **kwargs: MAP(3, **kwargs),
    HitRateAtK,
    MRR,
]
CURVES: dict[str, Callable[..., Any]] = {
    "AUC": AUC,
    "PRAUC": PRAUC,
    "MulticlassAUC": lambda **kwargs: MulticlassAUC(3, average="weighted", **kwargs),
}
SHARES: dict[str, Callable[[int, int], int]] = {
    "even": lambda part, ranks: part % ranks,
    "all on the first": lambda part, ranks: 0,
    "all on the last": lambda part, ranks: ranks - 1,
}


def _part(part: int, kind: str = "plain") -> list[Tensor]:
    """Returns one part of 600 rows: many scores tie, and the groups are in every part."""
    generator = torch.Generator().manual_seed(0)
    preds = torch.rand(600, generator=generator)
    target = (torch.rand(600, generator=generator) < preds).float()
    preds = torch.where(preds < 0.5, preds, (preds * 10).round() / 10)
    # Multiples of the number of ranks, and hashes.
    hashes = torch.randint(-(2**63), 2**63 - 1, (10,), generator=generator)
    keys = torch.cat([torch.arange(0, 60, 6), hashes])
    key = keys[torch.randint(0, 20, (600,), generator=generator)]
    weights = 3 * torch.rand(600, generator=generator)
    columns = [column[part::PARTS].clone() for column in (preds, target, key, weights)]
    if kind == "doubles in one part" and part == 1:
        # Between the scores of the others.
        columns[:2] = columns[0].double() + 1e-12, columns[1].double()
    if kind == "invalid":
        columns[1][part] = -part
        columns[part % 2 * 3][0] = float("nan")
    weighted = kind == "invalid" or (kind == "weights in one part" and part == 1)
    return columns if weighted else columns[:3]


def _filled(metric: Any, rank: int, ranks: int, kind: str = "plain", share: str = "even") -> Any:
    for part in range(PARTS):
        if SHARES[share](part, ranks) == rank:
            metric.update(*_part(part, kind))
    return metric


def _figures(metric: GroupedMetric) -> list[Any]:
    value = metric.compute().nan_to_num(-1).item()
    figures = _plain(metric.figures())
    return [value, metric.groups, metric.groups_skipped, metric.input_errors(), figures]


def _plain(result: Any) -> Any:
    return None if result is None else asdict(result)


def _values(rank: int, ranks: int) -> dict[str, Any]:
    """Returns what every rank must agree on with one that has all rows."""
    values: dict[str, Any] = {}
    for kind, share in product(
        ["plain", "doubles in one part", "weights in one part", "invalid"], SHARES
    ):
        metrics = [_filled(metric(), rank, ranks, kind, share) for metric in GROUPED]
        values[f"{kind}, {share}"] = [_figures(metric) for metric in metrics]
        for curve, exact_rows in product(CURVES, (600, 599)):
            metric = CURVES[curve](exact_rows=exact_rows)
            metric.draws_curves = True
            for part in range(PARTS):
                if SHARES[share](part, ranks) == rank:
                    preds, target, key, *weights = _part(part, kind)
                    if curve == "MulticlassAUC":
                        preds = torch.stack([preds, 1 - preds, preds * (key % 7) / 7], 1)
                        target = target + (key % 5 == 0)
                    metric.update(preds, target, *[1e-9 * each for each in weights])
            value = metric.compute().nan_to_num(-1).item()
            bound = metric.error_bound.nan_to_num(-1).item()
            values[f"{kind}, {share}, {curve}, {exact_rows}"] = [
                value,
                bound,
                metric.details(),
                metric.input_errors(),
                metric.why_no_value(),
                _plain(metric.curves()) if isinstance(metric, ScoreHistogram) else None,
            ]
            assert kind == "invalid" or (bound > 0) == (exact_rows < 600)
            if isinstance(metric, ScoreHistogram):
                assert (metric.curves() is None) == (kind == "invalid")
            # Nothing was made of the tables for the others.
            assert exact_rows < 600 or metric.histogram.untyped_storage().nbytes() == 8
    values["no rows"] = [_figures(metric()) for metric in GROUPED]

    for metric in (LogLoss(), MeanSquaredError(), AUC(exact_rows=0), BinnedXAUC(), XAUC()):
        for part in range(rank, PARTS, ranks):
            preds, target, _ = _part(part)
            # Of sizes far apart, and no multiples of any unit.
            metric.update(preds, target, preds.double().mul(12).exp() * 1e-9 / 3)
        values[type(metric).__name__] = metric.compute()

    collection = MetricCollection([GroupedAUC(), NDCGAtK(3), AUC()])
    for part in range(rank, PARTS, ranks):
        preds, target, key = _part(part)
        collection.update(preds, target, grouping_key=key)
    values["collection"] = collection.compute()

    auc, entropy, train = AUC(), NormalizedEntropy(), TrainMetricWrapper(AUC(), decay_step=1)
    for part in range(rank, PARTS, ranks):
        preds, target, _ = _part(part)
        auc.update(preds, target)
        entropy.update(preds, target)
    if rank == 0:
        # Only this rank: a collective in here would never end.
        train.update(preds, target)
        train.compute()
    values["sums"] = [auc.compute(), entropy.compute()]
    return values


def _check_ways_to_synchronise(rank: int, ranks: int) -> None:
    """Runs on one of several ranks."""
    gathered = []

    def gather(result: Tensor, group: Any = None) -> list[Tensor]:
        gathered.append(len(result))
        return gather_all_tensors(result, group)

    alone = dist.new_group([0])
    pair = dist.new_group([0, 1])
    for make, kind, share in product(GROUPED, ["plain", "weights in one part"], SHARES):
        whole = _figures(_filled(make(sync_on_compute=False), 0, 1, kind))

        def here(_make: Any = make, _kind: str = kind, _share: str = share, **kwargs: Any) -> Any:
            return _filled(_make(**kwargs), rank, ranks, _kind, _share)

        # Gathered by a function of the caller's, a rank has all rows.
        metric = here(dist_sync_fn=gather)
        gathered.clear()
        assert _figures(metric) == whole
        assert len(gathered) == 6
        assert all(isinstance(state, list) for state in (metric.preds, metric.weights))

        # Synchronised by hand, a rank has the rows of its keys, computes alone, and goes on.
        metric = here(sync_on_compute=False)
        before = [len(rows) for rows in metric.preds]
        metric.sync()
        shares = gather_all_tensors(torch.tensor(sum(map(len, metric.preds))))
        assert sum(shares) == 600
        assert min(shares) > 0
        if rank == 0:
            assert _figures(metric) == whole
        else:
            metric.unsync()
        assert [len(rows) for rows in metric.preds] == before
        local = here(sync_on_compute=False)
        metric.update(*_part(0))
        local.update(*_part(0))
        assert _figures(metric) == _figures(local)

        # Ranks outside of the group take no part.
        if rank == 0:
            single = _figures(_filled(make(sync_on_compute=False), rank, ranks, kind, share))
            assert _figures(here(process_group=alone)) == single
        if rank < 2 and share == "even":
            both = make(sync_on_compute=False)
            for other in range(2):
                _filled(both, other, ranks, kind, share)
            metric = here(sync_on_compute=False)
            metric.sync(process_group=pair)
            assert _figures(metric) == _figures(both)


def _check_batch_values(rank: int, ranks: int) -> None:
    # Of a batch alone, on every rank.
    metric, whole = GroupedAUC(dist_sync_on_step=True), GroupedAUC(sync_on_compute=False)
    whole.update(*_part(0))
    whole.update(*_part(1))
    part = _part(rank) if rank < 2 else [column[:0] for column in _part(0)]
    assert metric(*part) == whole.compute()
    assert metric.compute() == whole.compute()
    apart = GroupedAUC()
    local = GroupedAUC(sync_on_compute=False)
    local.update(*part)
    assert apart(*part).nan_to_num(-1) == local.compute().nan_to_num(-1)
    assert apart.compute() == whole.compute()


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_give_bit_for_bit_the_values_of_one(tmp_path: Path, ranks: int) -> None:
    run_ranks(_evaluate, [(tmp_path, ranks, rank) for rank in range(ranks)])
    expected = _values(0, 1)
    for rank in range(ranks):
        assert torch.load(tmp_path / f"{rank}.pt") == expected


def _evaluate(folder: Path, ranks: int, rank: int) -> None:
    """Runs as one of several ranks."""
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "rendezvous"), ranks)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=ranks)
    torch.save(_values(rank, ranks), folder / f"{rank}.pt")
    _check_ways_to_synchronise(rank, ranks)
    _check_batch_values(rank, ranks)
    dist.destroy_process_group()
