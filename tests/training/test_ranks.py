"""Training on several processes is training on their global batches, to rounding.

What is expected comes from a loop of plain PyTorch over the global batches, and from
scikit-learn. No Ray: the ranks are processes that meet in a file.
"""

from __future__ import annotations

import json
import math
import shutil
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import log_loss, roc_auc_score

from raymon.models import build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.report_pb2 import WindowReport
from raymon.reporter import Reporter
from raymon.results import Snapshot
from raymon.training.checkpoint.manifest import checkpoint_path, list_checkpoints, read_checkpoint
from raymon.training.input.readers import eval_reader, features_of, train_reader
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.rank.worker_context import WorkerContext
from tests.checkpoints import saved_model
from tests.data.reading.test_reader import overwrite_pages
from tests.forked import run_ranks
from tests.training import rank_process
from tests.training.rank_process import RankRun, read_config, run_rank
from tests.training.slow_model import SLEEP_S

CONFIG = """
train_input_path: "{train}"
eval_input_path: "{folder}/eval.parquet"
model_dir: "{folder}/{run_dir}"
train_config {{
  sparse_optimizer {{ {tables} constant_learning_rate {{}} }}
  dense_optimizer {{ sgd_optimizer {{ lr: 0.5 momentum: {momentum} }} constant_learning_rate {{}} }}
  num_steps: {steps}
  save_checkpoints_steps: 1000
  log_step_count_steps: 2
  gradient_accumulation_steps: {accumulation}
  tensorboard_summaries: "global_gradient_norm"
  {precision} embedding_tables: {engine}
}}
data_config {{ fg_mode: FG_DAG
  batch_size: {batch} eval_batch_size: 100 label_fields: "click" num_workers: 0
  shuffle: {shuffle} {weights}
}}
feature_configs {{ id_feature {{
  feature_name: "user" expression: "user:user_id" embedding_dim: 4 num_buckets: {users}
}} }}
feature_configs {{ id_feature {{
  feature_name: "tags" expression: "user:tags" embedding_dim: 4 hash_bucket_size: 20 separator: "|"
}} }}
feature_configs {{ raw_feature {{ feature_name: "price" expression: "item:price" }} }}
model_config {{
  feature_groups {{ group_name: "wide" group_type: WIDE feature_names: ["user", "tags"] }}
  feature_groups {{ group_name: "fm" group_type: DEEP feature_names: ["user", "tags"] }}
  feature_groups {{ group_name: "deep" group_type: DEEP feature_names: ["user", "tags", "price"] }}
  {model}
  losses {{ binary_cross_entropy {{}} }}
  metrics {{ auc {{}} }}
  metrics {{ grouped_auc {{ grouping_key: "user_id" }} }}
  metrics {{ normalized_entropy {{}} }}
  train_metrics {{ auc {{}} decay_step: 4 }}
}}
"""
DEFAULTS = {
    "momentum": 0, "tables": "sgd_optimizer { lr: 2 }", "accumulation": 1, "shuffle": "false",
    "weights": "", "steps": 4, "precision": "", "users": 40, "engine": "REPLICATED",
    "model": "deepfm { deep { hidden_units: [8] } }",
}  # fmt: skip
WEIGHTED = 'sample_weight_fields: "weight"'

# Rows of each rank in each step. A global batch is 48 rows but for the last ones.
EVEN_2, EVEN_3 = [[24, 24]] * 4, [[16, 16, 16]] * 4
ODD_2, ODD_3 = [[24, 24]] * 3 + [[12, 13]], [[16, 16, 16]] * 3 + [[8, 8, 9]]
# In the last step some ranks have no row.
OVER_2 = [[24, 24]] * 3 + [[0, 1]]
OVER_3 = [[16, 16, 16]] * 3 + [[0, 0, 1]]


@dataclass(frozen=True)
class World:
    """Ranks, the rows of each in each step, and the rest of the config."""

    ranks: int
    cut: list[list[int]]
    batch: int
    more: dict[str, object]


# With a dataset of unknown length, a rank has full batches up to its own end.
UNEQUAL_3 = [[16, 16, 16]] * 2 + [[16, 0, 5], [7, 0, 0]]

WORLDS = {
    "even_2": World(2, EVEN_2, 24, {}),
    "even_3": World(3, EVEN_3, 16, {}),
    "odd_2": World(2, ODD_2, 24, {}),
    "odd_3": World(3, ODD_3, 16, {}),
    "over_2": World(2, OVER_2, 24, {}),
    "over_3": World(3, OVER_3, 16, {}),
    "weighted_2": World(2, ODD_2, 24, {"weights": WEIGHTED}),
    # Ranks exchange the rows of such a table, and not all of it.
    "large_3": World(3, OVER_3, 16, {"users": 40_000}),
    "accumulated_2": World(2, EVEN_2, 12, {"accumulation": 2, "steps": 8}),
    "given_2": World(2, ODD_2, 24, {"given": "function"}),
    "given_unequal_3": World(3, UNEQUAL_3, 16, {"given": "unequal"}),
    "given_weighted_2": World(2, ODD_2, 24, {"given": "stateful", "weights": WEIGHTED}),
    "given_accumulated_2": World(
        2, EVEN_2, 12, {"given": "function", "accumulation": 2, "steps": 8}
    ),
}
# These have all of a rank's own state: its position in its shuffled rows, and its dropout.
STATEFUL = {
    "momentum": 0.9,
    "tables": "adam_optimizer { lr: 0.05 }",
    "shuffle": "true",
    "model": "deepfm { deep { hidden_units: [8] dropout_ratio: 0.3 } }",
}
RESUMED = {
    "undisturbed": World(2, EVEN_2, 24, {**STATEFUL, "steps": 6}),
    "stopped": World(2, EVEN_2, 24, {**STATEFUL, "steps": 3, "run_dir": "run", "data": "stopped"}),
    "resumed": World(2, EVEN_2, 24, {**STATEFUL, "steps": 6, "run_dir": "run", "data": "stopped"}),
}
GIVEN = {**STATEFUL, "given": "stateful", "data": "given_stopped"}
# 4 steps an epoch; the second run resumes in the first epoch, the third at the end of the second.
DATASETS = {
    "given_undisturbed": World(2, ODD_2, 24, {**GIVEN, "steps": 10}),
    "given_stopped": World(2, ODD_2, 24, {**GIVEN, "steps": 3, "run_dir": "given"}),
    "given_again": World(2, ODD_2, 24, {**GIVEN, "steps": 8, "run_dir": "given"}),
    "given_resumed": World(2, ODD_2, 24, {**GIVEN, "steps": 10, "run_dir": "given"}),
    "given_moved_3": World(3, UNEQUAL_3, 16, {**GIVEN, "steps": 12, "run_dir": "given"}),
    "stateless_2": World(2, EVEN_2, 24, {"given": "function", "steps": 2, "run_dir": "less"}),
    "stateless_3": World(
        3, EVEN_3, 16, {"given": "function", "steps": 5, "run_dir": "less", "data": "even_3"}
    ),
    "same_2": World(2, EVEN_2, 24, {"given": "same"}),
    "failing_2": World(2, EVEN_2, 24, {"given": "failing", "steps": 9}),
}
# One order of samples for any number of ranks; 7 steps go into a second epoch of 4.
ONE_ORDER = {
    "momentum": 0.9,
    "tables": "partial_rowwise_adam_optimizer { lr: 0.05 }",
    "shuffle": "true",
    "weights": "global_batch_size: 48 num_streams: 4 shuffle_buffer_size: 2",
    "data": "order_2",
}
# A row group cannot be read, so ranks have fewer rows than planned, and not equally many.
SKIPPING = "global_batch_size: 48 num_streams: 4 on_bad_file: SKIP"
SCORED = 'custom { class_path: "tests.training.scored_model:ScoredModel" }'
ORDERED = {
    "order_2": World(2, ODD_2, 7, {**ONE_ORDER, "steps": 7}),
    "order_3": World(3, ODD_2, 9, {**ONE_ORDER, "steps": 7}),
    "order_4": World(4, ODD_2, 9, {**ONE_ORDER, "steps": 7}),
    "moving_2": World(2, ODD_2, 7, {**ONE_ORDER, "steps": 2, "run_dir": "moving"}),
    "moving_3": World(3, ODD_2, 9, {**ONE_ORDER, "steps": 5, "run_dir": "moving"}),
    "skipping_2": World(
        2, ODD_2, 7, {**ONE_ORDER, "weights": SKIPPING, "data": "damaged", "steps": 4}
    ),
    "scored_2": World(2, ODD_2, 7, {**ONE_ORDER, "steps": 7, "model": SCORED}),
    "scored_3": World(3, ODD_2, 7, {**ONE_ORDER, "steps": 7, "model": SCORED}),
    "scored_4": World(4, ODD_2, 7, {**ONE_ORDER, "steps": 7, "model": SCORED}),
    "moved_2": World(2, ODD_2, 8, {**ONE_ORDER, "steps": 7, "run_dir": "moving"}),
}

_GROUPS = """
  feature_groups { group_name: "sparse" group_type: DEEP feature_names: ["user", "tags"] }
  feature_groups { group_name: "dense" group_type: DEEP feature_names: "price" }"""
DLRM = f"{_GROUPS} dlrm {{ dense_mlp {{ hidden_units: [8, 4] }} final {{ hidden_units: [8] }} }}"
UNUSED = 'custom { class_path: "tests.training.scored_model:WithUnused" }'
MODELS = {
    "dlrm_float32": World(2, ODD_2, 24, {"model": DLRM}),
    "dlrm_bf16": World(2, ODD_2, 24, {"model": DLRM, "precision": 'mixed_precision: "BF16"'}),
    "dlrm_fp16": World(2, ODD_2, 24, {"model": DLRM, "precision": 'mixed_precision: "FP16"'}),
    "unused": World(2, ODD_2, 24, {"model": UNUSED}),
}
SLOW_MODEL = 'custom { class_path: "tests.training.slow_model:SlowModel" }'
SLOW = {
    "slow_model_2": World(2, EVEN_2, 24, {"model": SLOW_MODEL, "steps": 6}),
    "slow_reader_2": World(2, EVEN_2, 24, {"given": "slow"}),
}
ALL_WORLDS = ChainMap(WORLDS, RESUMED, DATASETS, ORDERED, MODELS, SLOW)


def make_table(rows: int, seed: int) -> pa.Table:
    """Returns rows in the order of the global batches; the first half of each weighs the most."""
    rng = np.random.default_rng(seed)
    user = rng.integers(0, 40, rows)
    price = rng.normal(0, 1, rows)
    click = rng.uniform(size=rows) < 1 / (1 + np.exp(-((user % 5) - 2 + price)))
    weight = rng.integers(1, 5, rows).astype(np.float32)
    place = np.arange(rows)
    weight[place % 48 < 24] *= 64
    weight[(place >= 48 + 24) & (place < 2 * 48)] = 0  # on rank 1, nothing weighs in step 1
    tags = [f"t{a}|t{b}" for a, b in rng.integers(0, 9, (rows, 2))]
    columns = {"user_id": user, "tags": tags, "price": price, "weight": weight}
    return pa.table({**columns, "click": click.astype(np.int8)})


def rows_by_rank(cut: list[list[int]]) -> list[int]:
    """Returns the rows of global batches, in the order that makes each rank's rows contiguous."""
    ranks: list[list[int]] = [[] for _ in cut[0]]
    row = 0
    for sizes in cut:
        for rank, size in zip(ranks, sizes, strict=True):
            rank.extend(range(row, row + size))
            row += size
    return [row for rank in ranks for row in rank]


def rows_of(world: World) -> int:
    return sum(map(sum, world.cut))


# Their batches are copied ahead by a thread, as for a GPU.
COPIED = ("odd_3", "given_unequal_3", "given_accumulated_2", "given_resumed", "failing_2")


class Runs:
    """Runs of several ranks, made by one set of processes.

    Args:
        folder: Folder for the data and the runs.
        worlds: What is run, in this order, by name.
    """

    def __init__(self, folder: Path, worlds: Mapping[str, World] = ALL_WORLDS) -> None:
        self.folder = folder
        self.worlds = worlds
        pq.write_table(make_table(1001, 1), folder / "eval.parquet")
        for name, world in worlds.items():
            table = make_table(rows_of(world), 0).take(pa.array(rows_by_rank(world.cut)))
            group = 17 if name in ORDERED else len(table)
            pq.write_table(table, folder / f"{name}.parquet", row_group_size=group)
            data = world.more.get("data", name)
            self.write_config(name, folder / f"{data}.parquet", world.batch, world.more)
            if name in COPIED:
                (folder / f"{name}.copied").touch()
            if "given" in world.more:
                counts = [sum(rows) for rows in zip(*world.cut, strict=True)]
                described = json.dumps([world.more["given"], counts])
                (folder / f"{name}.datasets.json").write_text(described)
        (folder / "worlds.json").write_text(json.dumps({n: w.ranks for n, w in worlds.items()}))

    def write_config(
        self, name: str, train: Path, batch: int, more: dict[str, object]
    ) -> PipelineConfig:
        values = {**DEFAULTS, "run_dir": f"{name}.run", **more}
        path = self.folder / f"{name}.config"
        path.write_text(CONFIG.format(folder=self.folder, train=train, batch=batch, **values))
        return read_config(path)

    def start(self) -> None:
        run_ranks(rank_process.main, [(self.folder, rank) for rank in range(4)])

    def config(self, name: str) -> PipelineConfig:
        return read_config(self.folder / f"{name}.config")

    def ranks(self, name: str) -> list[RankRun]:
        world = self.worlds[name]
        paths = [self.folder / f"{name}.{rank}.pt" for rank in range(world.ranks)]
        return [RankRun(**torch.load(path)) for path in paths]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    runs = Runs(tmp_path_factory.mktemp("ranks"))
    shutil.copy(runs.folder / "order_2.parquet", runs.folder / "damaged.parquet")
    overwrite_pages(runs.folder / "damaged.parquet", 3)
    runs.start()
    return runs


@dataclass
class Expected:
    """The results of plain PyTorch on the global batches."""

    model: dict[str, torch.Tensor]
    norms: list[float]
    scores: np.ndarray


def expect(runs: Runs, name: str) -> Expected:
    """Trains on the global batches of a world, in one process, without any code of `training`."""
    world, config = WORLDS[name], runs.config(name)
    weighted = bool(config.data_config.sample_weight_fields)
    features = features_of(config)
    torch.manual_seed(config.train_config.seed)
    model = build_model(config, features)
    config.data_config.batch_size = config.data_config.eval_batch_size = 10_000
    optimizers = [
        torch.optim.SGD(model.sparse_parameters(), lr=2),
        torch.optim.SGD(model.dense_parameters(), lr=0.5),
    ]
    table, begin, norms = make_table(rows_of(world), 0), 0, []
    for size in map(sum, world.cut):
        config.train_input_path = str(runs.folder / "batch.parquet")
        pq.write_table(table.slice(begin, size), config.train_input_path)
        begin += size
        batch = next(train_reader(config, features, 0, 1).epoch(0))
        assert batch.size == size
        loss = F.binary_cross_entropy_with_logits(
            model.predict(batch)["logits"], batch.labels["click"], reduction="none"
        )
        weight = batch.weights["weight"] if weighted else torch.ones(size)
        ((loss * weight).sum() / weight.sum()).backward()
        norms.append(math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters())))
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    batch = next(eval_reader(config, features, 0, 1).epoch(0))
    with torch.inference_mode():
        scores = model.predict(batch)["probs"].double().numpy()
    return Expected(model.state_dict(), norms, scores)


def run_alone(runs: Runs, name: str) -> RankRun:
    """Trains on the same global batches with raymon on one rank; all but the last hold 48 rows."""
    world = WORLDS[name]
    data = runs.folder / f"{name}.alone.parquet"
    pq.write_table(make_table(rows_of(world), 0), data)
    more = {**world.more, "accumulation": 1, "steps": 4}
    return run_rank(runs.write_config(f"{name}.alone", data, 48, more), 0, 1)


def assert_same_weights(run: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert run.keys() == expected.keys()
    for name, weight in expected.items():
        torch.testing.assert_close(run[name], weight, rtol=0, atol=1e-5, msg=name)


def snapshots(runs: Runs, name: str, order: Sequence[int], folder: Path) -> list[Snapshot]:
    """Returns the snapshots of a reporter that gets the windows of all ranks in some order."""
    config = runs.config(name)
    model = build_model(config, features_of(config))
    model.init_metric()
    reporter = Reporter(folder, [], config.train_config.log_step_count_steps, math.inf)
    ranks = runs.ranks(name)
    assert reporter.begin_attempt("token", len(ranks), 0, model.train_metrics) == 1
    for rank in order:
        for window in ranks[rank].windows:
            reporter.report(window)
    published, _ = reporter.published()
    assert reporter.counts.refused == reporter.counts.duplicates == 0
    return [each for each in published if isinstance(each, Snapshot)]


@pytest.mark.parametrize("name", WORLDS)
def test_the_weights_are_those_of_plain_pytorch_on_the_global_batches(
    runs: Runs, name: str
) -> None:
    expected = expect(runs, name).model
    for rank in runs.ranks(name):
        assert rank.error == ""
        assert_same_weights(rank.model, expected)


@pytest.mark.parametrize("name", WORLDS)
def test_every_rank_ends_with_the_same_weights_bit_for_bit(runs: Runs, name: str) -> None:
    first, *others = runs.ranks(name)
    for other in others:
        for parameter, weight in first.model.items():
            assert torch.equal(other.model[parameter], weight), parameter


@pytest.mark.parametrize(
    "names",
    [
        ["even_2", "even_3", "accumulated_2", "given_accumulated_2"],
        ["odd_2", "odd_3", "given_2"],
        ["weighted_2", "given_weighted_2"],
    ],
    ids=["even", "odd", "weighted"],
)
def test_one_rank_and_several_end_with_the_same_weights_and_scores(
    runs: Runs, names: list[str]
) -> None:
    alone = run_alone(runs, names[0])
    assert [step for step, _ in alone.evaluations] == [4]
    for name in names:
        for rank in runs.ranks(name):
            assert_same_weights(rank.model, alone.model)
            [(_, scores)] = rank.evaluations
            assert scores == pytest.approx(alone.evaluations[0][1], rel=1e-5)


@pytest.mark.parametrize("name", WORLDS)
def test_every_rank_has_the_scores_that_scikit_learn_gives(runs: Runs, name: str) -> None:
    rows = pq.read_table(runs.folder / "eval.parquet").to_pydict()
    click, scores = rows["click"], expect(runs, name).scores
    weight = rows["weight"] if "weights" in WORLDS[name].more else None
    auc = roc_auc_score(click, scores, sample_weight=weight)
    loss = log_loss(click, scores, sample_weight=weight)
    first, *others = runs.ranks(name)
    assert all(other.evaluations == first.evaluations for other in others)
    for rank in (first, *others):
        [(step, metrics)] = rank.evaluations
        assert step == WORLDS[name].more.get("steps", 4)
        assert metrics["auc"] == pytest.approx(auc, abs=1e-4)
        assert metrics["binary_cross_entropy"] == pytest.approx(loss, rel=1e-5)
        assert metrics["total_loss"] == metrics["binary_cross_entropy"]


@pytest.mark.parametrize(
    "name", ["even_3", "odd_2", "over_2", "weighted_2", "given_2", "given_unequal_3"]
)
def test_the_published_numbers_are_those_of_the_rows_of_all_ranks(
    runs: Runs, name: str, tmp_path: Path
) -> None:
    ranks, world = runs.ranks(name), WORLDS[name]
    half, whole = snapshots(runs, name, range(world.ranks), tmp_path)
    assert (half.end_step, whole.first_step, whole.end_step) == (2, 2, 4)
    assert whole.samples == sum(map(sum, world.cut[2:]))
    assert (whole.coverage.ranks, whole.coverage.world_size) == (world.ranks, world.ranks)

    def rows(column: str, first: int) -> np.ndarray:
        steps = [step for rank in ranks for step in rank.steps[first:]]
        return torch.cat([step[column] for step in steps]).double().numpy()

    weighted = "weights" in world.more
    auc = roc_auc_score(
        rows("click", 0), rows("probs", 0), sample_weight=rows("weight", 0) if weighted else None
    )
    assert abs(whole.metrics["auc"] - auc) <= whole.metric_bounds["auc"] + 1e-12
    assert whole.metric_bounds["auc"] < 5e-3
    loss = log_loss(
        rows("click", 2), rows("probs", 2), sample_weight=rows("weight", 2) if weighted else None
    )
    assert whole.losses["binary_cross_entropy"] == pytest.approx(loss, rel=1e-5)
    norm = expect(runs, name).norms[-1]
    assert whole.gradient_norms["global_gradient_norm"] == pytest.approx(norm, rel=1e-4)


def assert_tables_are_those_of_the_rows(runs: Runs, name: str, folder: Path) -> None:
    """Checks the published figures of a table against the column that it is looked up by."""
    world, size = runs.worlds[name], int(runs.worlds[name].more.get("users", 40))
    shown = snapshots(runs, name, reversed(range(world.ranks)), folder)
    users = make_table(rows_of(world), 0)["user_id"].to_numpy()
    assert shown[-1].end_step == len(world.cut) * world.more.get("accumulation", 1)
    begin, ends = 0, np.linspace(0, len(world.cut), len(shown) + 1)[1:].astype(int)
    for snapshot, end in zip(shown, ends, strict=True):
        until = sum(map(sum, world.cut[:end]))
        found, counts = snapshot.tables["embeddings.user"], np.bincount(users[begin:until])
        begin = until
        assert found.lookups == counts.sum()
        if size <= 2_048:
            assert found.distinct_rows == np.count_nonzero(counts)
            assert found.touched_share == len(np.unique(users[:until])) / size
            assert found.top10_share == np.sort(counts)[-10:].sum() / counts.sum()
        else:
            assert found.distinct_rows == pytest.approx(np.count_nonzero(counts), rel=0.08)
        assert found.mean_row_norm > 0
        assert math.isnan(found.collision_share)
        assert snapshot.tables["embeddings.tags"].collision_share > 0


@pytest.mark.parametrize(
    "name", ["even_2", "odd_3", "over_3", "large_3", "accumulated_2", "given_2"]
)
def test_published_tables_are_those_of_the_rows_of_all_ranks(
    runs: Runs, name: str, tmp_path: Path
) -> None:
    assert_tables_are_those_of_the_rows(runs, name, tmp_path)


def test_one_rank_and_several_publish_the_same_tables(runs: Runs, tmp_path: Path) -> None:
    by_ranks = {name: snapshots(runs, name, range(n), tmp_path / name) for name, n in
                (("order_2", 2), ("order_3", 3), ("order_4", 4))}  # fmt: skip
    first, *others = by_ranks.values()
    for other in others:
        for one, two in zip(first, other, strict=True):
            for name, table in one.tables.items():
                found, expected = two.tables[name].figures(), table.figures()
                # Rows differ by the rounding of their gradients.
                assert found.pop("mean_row_norm") == pytest.approx(
                    expected.pop("mean_row_norm"), rel=1e-4, nan_ok=True
                )
                assert str(found) == str(expected)


def test_the_order_of_ranks_changes_no_published_bit(runs: Runs, tmp_path: Path) -> None:
    forth = snapshots(runs, "odd_3", [0, 1, 2], tmp_path / "a")
    back = snapshots(runs, "odd_3", [2, 0, 1], tmp_path / "b")
    assert len(forth) == len(back) == 2
    for one, other in zip(forth, back, strict=True):
        assert (one.losses, one.metrics) == (other.losses, other.metrics)
        assert (one.samples, one.gradient_norms) == (other.samples, other.gradient_norms)
        assert str(one.tables) == str(other.tables)


def test_a_checkpoint_of_two_ranks_is_complete_with_a_part_of_each(runs: Runs) -> None:
    checkpoints = list_checkpoints(runs.folder / "undisturbed.run")
    assert [checkpoint.step for checkpoint in checkpoints] == [6]
    path, first = checkpoints[0].path, runs.ranks("undisturbed")[0]
    assert checkpoints[0].world_size == 2
    assert checkpoints[0].metrics == first.evaluations[0][1]
    parts = [torch.load(path / f"rank-0000{rank}.pt", weights_only=True) for rank in range(2)]
    assert not torch.equal(parts[0]["random"]["torch"], parts[1]["random"]["torch"])
    saved = saved_model(path)
    for name, weight in first.model.items():
        assert torch.equal(saved[name], weight), name


def test_a_checkpoint_without_the_part_of_a_rank_is_none(runs: Runs, tmp_path: Path) -> None:
    copy = tmp_path / "model.ckpt-6"
    copy.mkdir()
    for part in checkpoint_path(runs.folder / "undisturbed.run", 6).iterdir():
        (copy / part.name).write_bytes(part.read_bytes())
    assert read_checkpoint(copy) is not None
    (copy / "rank-00001.pt").unlink()
    assert read_checkpoint(copy) is None


def test_two_ranks_go_on_bit_for_bit_from_their_checkpoint(runs: Runs) -> None:
    for undisturbed, resumed in zip(runs.ranks("undisturbed"), runs.ranks("resumed"), strict=True):
        assert [step for step, _ in resumed.evaluations] == [3, 6]
        assert resumed.evaluations[-1] == undisturbed.evaluations[-1]
        assert len(resumed.steps) == 3
        for one, other in zip(resumed.steps, undisturbed.steps[3:], strict=True):
            assert torch.equal(one["probs"], other["probs"])
        for name, weight in undisturbed.model.items():
            assert torch.equal(resumed.model[name], weight), name


def test_ranks_on_datasets_go_on_bit_for_bit_in_an_epoch_and_behind_it(runs: Runs) -> None:
    undisturbed, resumed = runs.ranks("given_undisturbed"), runs.ranks("given_resumed")
    for one, other in zip(undisturbed, resumed, strict=True):
        assert one.error == other.error == ""
        assert len(one.steps) == 10
        assert len(other.steps) == 2
        assert other.evaluations[-1] == one.evaluations[-1]
        for name, weight in one.model.items():
            assert torch.equal(other.model[name], weight), name


def test_the_places_in_datasets_are_of_as_many_ranks(runs: Runs) -> None:
    for rank in runs.ranks("given_moved_3"):
        assert rank.error.startswith("RunError: ")
        assert "2 workers kept where they were in their datasets" in rank.error


def test_datasets_that_do_not_know_where_they_are_go_on_with_any_number_of_ranks(
    runs: Runs,
) -> None:
    # 96 rows were trained on, so each of 3 ranks skips 32 of its 64 rows.
    for rank in runs.ranks("stateless_3"):
        assert rank.error == ""
        assert [len(step["probs"]) for step in rank.steps] == [16, 16, 16]


def test_ranks_that_read_the_same_rows_are_told(runs: Runs) -> None:
    for rank in runs.ranks("same_2"):
        assert rank.error.startswith('DataError: datasets["train"]: several workers begin with')


def test_a_dataset_that_fails_ends_the_run_on_all_ranks(runs: Runs) -> None:
    zero, one = runs.ranks("failing_2")
    assert one.error == "ValueError: the stream of rank 1 is torn"
    assert zero.error == "TrainingError: another worker failed"


def test_any_number_of_ranks_is_the_same_run(runs: Runs) -> None:
    alone = run_rank(runs.write_config("order_1", runs.folder / "order_2.parquet", 5, {
        **ONE_ORDER, "steps": 7,
    }), 0, 1)  # fmt: skip
    for name in ("order_2", "order_3", "order_4"):
        for rank in runs.ranks(name):
            assert rank.error == ""
            assert_same_weights(rank.model, alone.model)
            (step, scores), (_, expected) = rank.evaluations[-1], alone.evaluations[-1]
            assert step == 7
            assert scores["binary_cross_entropy"] == pytest.approx(
                expected["binary_cross_entropy"], abs=1e-5
            )
            assert scores["auc"] == pytest.approx(expected["auc"], abs=1e-4)


def test_the_same_scores_give_the_same_numbers_on_any_number_of_ranks(
    runs: Runs, tmp_path: Path
) -> None:
    more = ORDERED["scored_2"].more
    config = runs.write_config("scored_1", runs.folder / "order_2.parquet", 5, more)
    torch.save(vars(run_rank(config, 0, 1)), runs.folder / "scored_1.0.pt")
    ORDERED["scored_1"] = World(1, ODD_2, 5, more)
    found = []
    for ranks in (1, 2, 3, 4):
        (tmp_path / str(ranks)).mkdir()
        shown = snapshots(runs, f"scored_{ranks}", range(ranks), tmp_path / str(ranks))
        found.append([(s.end_step, s.samples, s.metrics) for s in shown])
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) == 3
    assert found[0][-1][2]["auc"] > 0


def test_rows_that_are_skipped_weigh_nothing(runs: Runs) -> None:
    more = ORDERED["skipping_2"].more
    config = runs.write_config("skipping_1", runs.folder / "damaged.parquet", 5, more)
    alone = run_rank(config, 0, 1)
    ranks = runs.ranks("skipping_2")
    read = [sum(len(step["probs"]) for step in rank.steps) for rank in (alone, *ranks)]
    assert read[0] == sum(read[1:]) == rows_of(ORDERED["skipping_2"]) - 17
    for rank in ranks:
        assert rank.error == ""
        assert_same_weights(rank.model, alone.model)


def test_a_run_goes_on_with_other_numbers_of_ranks(runs: Runs) -> None:
    undisturbed = runs.ranks("order_2")[0]
    assert [len(rank.steps) for rank in runs.ranks("moving_3")] == [3, 3, 3]
    for rank in runs.ranks("moved_2"):
        assert rank.error == ""
        assert [step for step, _ in rank.evaluations] == [2, 5, 7]
        assert len(rank.steps) == 2
        assert_same_weights(rank.model, undisturbed.model)
    # Per worker it is another run from there on, but every row still comes once.
    config = runs.config("resumed")
    config.train_config.num_steps = 9
    rank = run_rank(config, 0, 1)
    assert len(rank.steps) == 3
    assert [len(step["probs"]) for step in rank.steps] == [24, 24, 24]


def test_a_rank_without_rows_needs_no_statistics_of_a_batch(runs: Runs) -> None:
    more = {"model": "deepfm { deep { hidden_units: [8] use_bn: true } }"}
    config = runs.write_config("normed", runs.folder / "over_2.parquet", 24, more)
    features = features_of(config)
    model = build_model(config, features)
    context = WorkerContext(0, 1, torch.device("cpu"), RankRun())
    optimizers = build_optimizers(config.train_config, model)
    step = TrainStep(config.train_config, model, optimizers, context)
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm1d)]
    assert norms
    *_, batch = train_reader(config, features, 0, 2).epoch(0)
    assert batch.size == 0
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    output = step.backward(batch, group_rows=1, group=1, last=True)
    assert output.weights == 0
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert not parameter.grad.any(), name
    assert all(module.training for module in model.modules())
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name]), name


def test_a_loss_is_the_mean_of_the_rows_that_are_there(runs: Runs) -> None:
    config = runs.config("even_2")
    features = features_of(config)
    batch = next(train_reader(config, features, 0, 2).epoch(0))
    context = WorkerContext(0, 1, torch.device("cpu"), RankRun())
    gradients = []
    for rows, missing in ((batch.size, False), (2 * batch.size, True)):
        torch.manual_seed(0)
        model = build_model(config, features)
        step = TrainStep(
            config.train_config,
            model,
            build_optimizers(config.train_config, model),
            context,
            rows_may_be_missing=missing,
        )
        step.backward(batch, group_rows=rows, group=1, last=True)
        gradients.append([parameter.grad for parameter in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_ranks_of_half_precision_train_one_model_near_that_of_float32(
    runs: Runs, precision: str
) -> None:
    ranks, expected = runs.ranks(f"dlrm_{precision}"), runs.ranks("dlrm_float32")
    assert [rank.error for rank in ranks] == ["", ""]
    for name, weight in ranks[0].model.items():
        assert torch.equal(weight, ranks[1].model[name]), name
        torch.testing.assert_close(weight, expected[0].model[name], rtol=0, atol=0.02, msg=name)
    for (step, scores), (_, others) in zip(
        ranks[0].evaluations, expected[0].evaluations, strict=True
    ):
        assert step == 4
        assert scores == pytest.approx(others, abs=0.02)


def test_a_parameter_without_use_is_told_on_every_rank_by_its_name(runs: Runs) -> None:
    for rank in runs.ranks("unused"):
        assert rank.error.startswith("ModelError: ")
        assert "WithUnused.predict has no use for nothing.weight, nothing.bias; every" in rank.error


def phases_of(run: RankRun) -> list[dict[str, float]]:
    """The seconds of each phase in each window of a rank."""
    reports = [WindowReport.FromString(window) for window in run.windows]
    return [
        {phase.name: phase.value for phase in report.phases}
        for report in reports
        if report.end_step > report.first_step
    ]


def test_a_slow_rank_takes_longer_and_the_other_one_waits_for_it(runs: Runs) -> None:
    one, other = map(phases_of, runs.ranks("slow_model_2"))
    asleep = 2 * SLEEP_S
    assert other[1]["forward"] >= asleep
    assert one[1]["peers"] > other[1]["peers"]
    assert one[2]["backward"] >= asleep
    assert other[2]["peers"] > one[2]["peers"]


def test_a_rank_that_waits_for_the_reader_of_another_waits_for_peers(runs: Runs) -> None:
    fast, slow = map(phases_of, runs.ranks("slow_reader_2"))
    total = [sum(window["data"] for window in windows) for windows in (fast, slow)]
    waited = [sum(window["peers"] for window in windows) for windows in (fast, slow)]
    assert total[1] > total[0]
    assert waited[0] > waited[1]
