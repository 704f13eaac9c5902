"""What a recorder counts of the lookups in the tables of a model."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from raymon.data import Batch, EmbeddingSpec, Growth, IdList
from raymon.embeddings import EmbeddingCollection, table_health
from raymon.recorder import Recorder, TableLookups, table_lookups
from raymon.results import TableHealth
from raymon.wire import TableSketches
from tests.recorder.test_recorder import Taken, make_recorder


def specs(**rows: int) -> dict[str, EmbeddingSpec]:
    return {name: EmbeddingSpec(name, size, 4) for name, size in rows.items()}


def batch_of(**ids: list[int] | IdList) -> Batch:
    lists = {n: i if isinstance(i, IdList) else IdList(torch.tensor(i)) for n, i in ids.items()}
    return Batch(3, sparse=lists)


def bags(*rows: list[int], weights: list[float] | None = None) -> IdList:
    """The ids of rows that have any number of them."""
    lengths = torch.tensor([len(row) for row in rows])
    values = torch.tensor([each for row in rows for each in row])
    return IdList(
        values, lengths.cumsum(0) - lengths, None if weights is None else torch.tensor(weights)
    )


class Watched:
    """A collection, its recorder with windows of `steps` steps, and the windows that it cut."""

    def __init__(self, steps: int = 2, hashed: tuple[str, ...] = (), **rows: int) -> None:
        self.collection = EmbeddingCollection(specs(**rows))
        self.taken = Taken()
        self.recorder = recorder_of(self.taken, steps, {"embeddings": self.collection}, hashed)

    def step(self, batch: Batch) -> dict[str, torch.Tensor]:
        embeddings = self.collection(batch)
        self.recorder.step({}, None, None, samples=batch.size, weights=1.0)
        return embeddings

    def health(self) -> list[dict[str, TableHealth]]:
        sketches = [w.tables.wait() for w in self.taken.windows if w.tables is not None]
        return [table_health(each, each.touched) for each in sketches]


def recorder_of(
    taken: Taken,
    steps: int,
    collections: dict[str, EmbeddingCollection],
    hashed: tuple[str, ...] = (),
    rank: int = 0,
) -> Recorder:
    tables = TableLookups(collections, hashed, rank)
    return make_recorder(taken, log_step_count_steps=steps, tables=tables)


def norm(collection: EmbeddingCollection, feature: str, *rows: int) -> float:
    """The mean norm of rows of the table of a feature."""
    table = collection.table_of(feature)
    assert isinstance(table.weight, nn.Parameter)
    return float(table.weight.detach()[list(rows)].double().norm(dim=1).mean())


def test_a_window_has_the_lookups_of_its_steps_alone() -> None:
    watched = Watched(a=10, b=50)
    for ids in ([0, 1, 1], [1, 2, 3], [9, 9, 9], [9, 9, 8]):
        watched.step(batch_of(a=ids, b=[ids[0], 20, 30]))
    first, second = watched.health()
    assert (first["a"].lookups, first["a"].distinct_rows, first["a"].rows) == (6, 4, 10)
    assert (second["a"].lookups, second["a"].distinct_rows) == (6, 2)
    assert (first["b"].lookups, first["b"].distinct_rows) == (6, 4)
    assert second["a"].top10_share == 1
    assert watched.recorder.failures == 0


def test_norms_are_those_of_distinct_rows_of_the_last_step() -> None:
    watched = Watched(steps=3, a=10)
    for ids in ([0, 1, 2], [3, 4, 5], [6, 6, 7]):
        watched.step(batch_of(a=ids))
    (found,) = watched.health()
    assert found["a"].mean_row_norm == pytest.approx(norm(watched.collection, "a", 6, 7))


def test_a_window_of_one_step_has_norms_too() -> None:
    watched = Watched(steps=1, a=10)
    for row in range(3):
        watched.step(batch_of(a=[row, row, row]))
    for row, found in enumerate(watched.health()):
        assert found["a"].mean_row_norm == pytest.approx(norm(watched.collection, "a", row))


def test_a_checkpoint_in_the_middle_of_a_window_leaves_norms_without_a_value() -> None:
    watched = Watched(steps=10, a=10)
    watched.step(batch_of(a=[0, 1, 2]))
    watched.recorder.cut(checkpoint=True)
    (found,) = watched.health()
    assert found["a"].distinct_rows == 3
    assert math.isnan(found["a"].mean_row_norm)


def test_only_single_ids_of_bags_give_norms() -> None:
    watched = Watched(steps=1, a=10)
    watched.step(batch_of(a=bags([1, 2], [], [3], [4])))
    watched.step(batch_of(a=bags([1, 2], [], [5, 6])))
    watched.step(batch_of(a=bags([1], [2], weights=[2.0, 3.0])))
    single, several, weighted = watched.health()
    assert (single["a"].lookups, single["a"].distinct_rows) == (4, 4)
    assert single["a"].mean_row_norm == pytest.approx(norm(watched.collection, "a", 3, 4))
    assert math.isnan(several["a"].mean_row_norm)
    assert math.isnan(weighted["a"].mean_row_norm)
    assert weighted["a"].lookups == 2


def test_features_that_share_a_table_are_counted_together() -> None:
    shared = {name: EmbeddingSpec("t", 20, 4) for name in ("x", "y")}
    taken, collection = Taken(), EmbeddingCollection(shared)
    recorder = recorder_of(taken, 1, {"embeddings": collection})
    collection(batch_of(x=[0, 1, 2], y=bags([2, 3], [2], [2])))
    recorder.step({}, None, None, samples=3, weights=1.0)
    sketches = taken.windows[0].tables.wait()
    (found,) = table_health(sketches, None).values()
    assert (found.lookups, found.distinct_rows) == (7, 4)
    assert found.mean_row_norm == pytest.approx(norm(collection, "x", 0, 1, 2))


def test_tables_of_one_name_are_told_apart_by_their_collections() -> None:
    collections = {
        "wide": EmbeddingCollection(specs(a=10, b=5)),
        "deep": EmbeddingCollection(specs(a=10)),
    }
    taken = Taken()
    recorder = recorder_of(taken, 1, collections, hashed=("a",))
    collections["wide"](batch_of(a=[1, 2, 3], b=[0, 0, 0]))
    collections["deep"](batch_of(a=[1, 1, 1]))
    recorder.step({}, None, None, samples=3, weights=1.0)
    found = table_health(taken.windows[0].tables.wait(), None)
    assert {name: table.distinct_rows for name, table in found.items()} == {
        "wide.a": 3,
        "b": 1,
        "deep.a": 1,
    }


def test_lookups_of_an_evaluation_are_not_counted() -> None:
    watched = Watched(steps=1, a=10)
    watched.collection.eval()
    with torch.inference_mode():
        watched.collection(batch_of(a=[7, 8, 9]))
    watched.collection.train()
    with torch.no_grad():
        watched.collection(batch_of(a=[5, 5, 6]))
    watched.step(batch_of(a=[1, 2, 2]))
    (found,) = watched.health()
    assert (found["a"].lookups, found["a"].distinct_rows) == (3, 2)


def test_embeddings_that_a_model_writes_into_give_no_norms() -> None:
    watched = Watched(steps=1, a=10)
    watched.step(batch_of(a=[1, 2, 3]))["a"].mul_(1000)
    (found,) = watched.health()
    assert found["a"].lookups == 3
    assert math.isnan(found["a"].mean_row_norm)


def test_a_rank_without_rows_has_counted_none() -> None:
    watched = Watched(steps=1, a=10)
    watched.step(Batch(0, sparse={"a": IdList(torch.zeros(0, dtype=torch.int64))}))
    watched.step(batch_of(a=[1, 2, 3]))
    empty, filled = watched.health()
    assert (empty["a"].lookups, filled["a"].lookups) == (0, 3)
    assert watched.recorder.failures == 0


def test_many_lookups_are_handed_over_before_the_window_ends(monkeypatch) -> None:
    monkeypatch.setattr(table_lookups, "IDS_A_HANDOVER", 6)
    watched = Watched(steps=10, a=1000)
    worked = []
    monkeypatch.setattr(watched.taken, "work", lambda work: worked.append(work) or work())
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 1000, (10, 3))
    for ids in rows:
        watched.step(batch_of(a=ids.tolist()))
    (found,) = watched.health()
    assert len(worked) == 5
    assert (found["a"].lookups, found["a"].distinct_rows) == (30, len(np.unique(rows)))


def test_ids_of_large_batches_are_handed_over_early(monkeypatch) -> None:
    # Ids keep the memory of all that is in their batch.
    monkeypatch.setattr(table_lookups, "IDS_A_HANDOVER", 20)
    watched = Watched(steps=100, a=10)
    worked = []
    monkeypatch.setattr(watched.taken, "work", lambda work: worked.append(work) or work())
    for _ in range(8):
        batch = batch_of(a=[1, 2, 3])
        batch.dense["wide"] = torch.zeros(3, 64)
        watched.step(batch)
    # 24 bytes of ids and 768 of numbers, at 64 an id.
    assert batch.nbytes // 64 == 12
    assert len(worked) == 4


def test_lookups_that_come_faster_than_they_are_counted_leave_no_figure(monkeypatch) -> None:
    monkeypatch.setattr(table_lookups, "MOST_IDS", 7)
    watched = Watched(steps=3, a=10)
    for _ in range(3):
        watched.step(batch_of(a=[1, 2, 3]))
    (missed,) = watched.health()
    assert all(math.isnan(value) for value in missed["a"].figures().values())
    assert watched.recorder.failures == 1
    # The background thread has caught up.
    watched.taken.windows.clear()
    for _ in range(2):
        watched.step(batch_of(a=[1, 2, 3]))
    watched.recorder.cut()
    (found,) = watched.health()
    assert found["a"].lookups == 6
    assert watched.recorder.failures == 1


def test_ids_that_cannot_be_counted_cost_only_their_window() -> None:
    watched = Watched(steps=1, a=10)
    batch = batch_of(a=[1, 2, 3])
    watched.step(batch)
    batch.sparse["a"].values[0] = 99
    watched.step(batch_of(a=[1, 2, 3]))
    first, second = (window.tables.wait() for window in watched.taken.windows)
    assert first.incomplete
    assert watched.recorder.failures == 1
    assert isinstance(second, TableSketches)
    assert not second.incomplete


def test_a_window_without_steps_has_no_tables() -> None:
    watched = Watched(a=10)
    watched.recorder.cut(checkpoint=True)
    assert watched.taken.windows[0].tables is None


def growing(**changes: object) -> EmbeddingCollection:
    growth = Growth(eviction_interval=1, policy="lfu", **changes)
    return EmbeddingCollection({"a": EmbeddingSpec("a", 5, 4, growth=growth)})


def test_a_table_that_grows_is_counted_by_its_rows() -> None:
    collection, taken = growing(), [Taken(), Taken()]
    recorders = [
        recorder_of(taken[rank], 1, {"embeddings": collection}, rank=rank) for rank in (0, 1)
    ]
    ((ids, _),) = collection.growing_tables()
    for values in ([10**18, 7, 7], [7, 8, 10**12]):
        collection(batch_of(a=values))
        if ids.end_iteration():
            ids.end_interval(ids.pending())
        recorders[0].step({}, None, None, samples=3, weights=1.0)
    first, second = (table_health(w.tables.wait(), None)["a"] for w in taken[0].windows)
    assert (first.lookups, first.distinct_rows) == (3, 1)
    assert first.counts == {"fallback_lookups": 3, "admitted": 2, "evicted": 0, "occupancy": 0.5}
    # Of 7, 8 and 10^12 only the first had a row.
    assert second.distinct_rows == 2
    assert second.counts == {"fallback_lookups": 2, "admitted": 2, "evicted": 0, "occupancy": 1.0}
    # What all ranks know of the table is not reported again by the others.
    recorders[1].step({}, None, None, samples=3, weights=1.0)
    (other,) = (table_health(w.tables.wait(), None)["a"] for w in taken[1].windows)
    assert other.counts == {"fallback_lookups": 0}


def test_the_training_thread_asks_no_tensor_for_its_numbers() -> None:
    # Tensors on this device have none, so that a copy or a question raises.
    with torch.device("meta"):
        watched = Watched(steps=2, a=10, b=10)
        ids = IdList(torch.zeros(3, dtype=torch.int64))
        bag = IdList(torch.zeros(5, dtype=torch.int64), torch.zeros(3, dtype=torch.int64))
        for _ in range(4):
            watched.step(Batch(3, sparse={"a": ids, "b": bag}))
    assert watched.recorder.failures == 0
    assert len(watched.taken.windows) == 2
    # Only the background thread asks.
    assert watched.taken.windows[0].tables.wait().incomplete
    assert watched.recorder.failures == 1
