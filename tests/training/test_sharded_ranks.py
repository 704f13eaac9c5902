"""Runs whose tables are sharded are the runs of whole tables, and their checkpoints move anywhere.

What is expected comes from plain PyTorch on the global batches, and from torch's own reader of
checkpoints. The ranks are processes that meet in a file.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from tests.checkpoints import saved_tensors
from tests.training.rank_process import RankRun
from tests.training.test_ranks import (
    DLRM,
    ODD_2,
    WORLDS,
    Runs,
    World,
    assert_same_weights,
    assert_tables_are_those_of_the_rows,
    expect,
)

SHARDED = {"engine": "SHARDED"}
PLAIN = ["even_2", "over_3", "weighted_2", "large_3", "accumulated_2", "given_unequal_3"]
TRAINED = {
    name: World(each.ranks, each.cut, each.batch, {**each.more, **SHARDED})
    for name, each in WORLDS.items()
    if name in PLAIN
}
FP16 = {"model": DLRM, "precision": 'mixed_precision: "FP16"'}
HALVES = {
    f"{kind.lower()}_fp16": World(2, ODD_2, 24, {**FP16, "engine": kind, "data": "even_2"})
    for kind in ("SHARDED", "REPLICATED")
}
# One order of samples for any number of ranks; 7 steps go into a second epoch of 4.
ONE_ORDER = {
    "momentum": 0.9,
    "tables": "adagrad_optimizer { lr: 0.05 }",
    "shuffle": "true",
    "weights": "global_batch_size: 48 num_streams: 4 shuffle_buffer_size: 2",
    "data": "even_2",
}
RANKS = (1, 2, 3, 4)
SAVED, LAST = 3, 6


def _ordered(ranks: int, run_dir: str, engine: str, steps: int) -> World:
    more = {**ONE_ORDER, "engine": engine, "steps": steps, "run_dir": run_dir}
    return World(ranks, ODD_2, 9, more)


BEGUN = {
    **{f"from_{n}": _ordered(n, f"from_{n}", "SHARDED", SAVED) for n in RANKS},
    "from_whole": _ordered(2, "from_whole", "REPLICATED", SAVED),
    "undisturbed": _ordered(2, "undisturbed", "SHARDED", LAST),
}
MOVED = {
    f"{n}_to_{m}": _ordered(m, f"{n}_to_{m}", "SHARDED", SAVED)
    for n in (*RANKS, "whole")
    for m in RANKS
}
WHOLE_AGAIN = {
    f"{n}_to_whole_{n}": _ordered(n, f"{n}_to_whole_{n}", "REPLICATED", SAVED) for n in (1, 3)
}
GONE_ON = {
    f"{n}_on_{m}": _ordered(m, f"{n}_on_{m}", engine, LAST)
    for n, m, engine in (
        (2, 2, "SHARDED"),
        (1, 3, "SHARDED"),
        (4, 2, "REPLICATED"),
        ("whole", 3, "SHARDED"),
    )
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    runs = Runs(tmp_path_factory.mktemp("begun"), {**TRAINED, **HALVES, **BEGUN})
    runs.start()
    return runs


@pytest.fixture(scope="module")
def moved(begun: Runs, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Returns runs that go on from the checkpoints of others."""
    worlds = {**MOVED, **WHOLE_AGAIN, **GONE_ON}
    folder = tmp_path_factory.mktemp("moved")
    runs = Runs(folder, worlds)
    for name in worlds:
        shutil.copytree(begun.folder / f"from_{name.split('_')[0]}", folder / name)
        # The same data, since a run goes on with that alone.
        config = (folder / f"{name}.config").read_text()
        there = f'train_input_path: "{folder}/even_2.parquet"'
        here = f'train_input_path: "{begun.folder}/even_2.parquet"'
        (folder / f"{name}.config").write_text(config.replace(there, here))
    runs.start()
    return runs


def run_of(runs: Runs, name: str) -> RankRun:
    """Returns the run of the first rank, after all ranks ran without an error."""
    ranks = runs.ranks(name)
    assert [rank.error for rank in ranks] == [""] * len(ranks)
    return ranks[0]


def checkpoint(runs: Runs, name: str, step: int) -> dict[str, torch.Tensor]:
    return saved_tensors(Path(runs.folder, name, f"model.ckpt-{step}"))


@pytest.mark.parametrize("name", PLAIN)
def test_weights_are_those_of_plain_pytorch_on_the_global_batches(begun: Runs, name: str) -> None:
    assert_same_weights(run_of(begun, name).model, expect(begun, name).model)


@pytest.mark.parametrize("name", ["even_2", "over_3", "large_3", "accumulated_2"])
def test_published_tables_are_those_of_the_rows_of_all_ranks(
    begun: Runs, name: str, tmp_path: Path
) -> None:
    assert_tables_are_those_of_the_rows(begun, name, tmp_path)


def test_steps_in_fp16_are_those_of_whole_tables(begun: Runs) -> None:
    sharded, whole = (run_of(begun, f"{kind}_fp16").model for kind in ("sharded", "replicated"))
    assert sharded.keys() == whole.keys()
    for name, weight in whole.items():
        torch.testing.assert_close(sharded[name], weight, rtol=1e-3, atol=1e-3, msg=name)


@pytest.mark.parametrize("name", MOVED)
def test_tables_and_states_are_read_on_any_number_of_ranks_bit_for_bit(
    begun: Runs, moved: Runs, name: str
) -> None:
    run = run_of(moved, name)
    saved = checkpoint(begun, f"from_{name.split('_')[0]}", SAVED)
    tables = {key: value for key, value in run.model.items() if ".tables." in key}
    assert tables
    for key, value in tables.items():
        assert torch.equal(value, saved[f"model.{key}"])
    assert len(run.states) == len(tables)
    for key, value in run.states.items():
        assert torch.equal(value, saved[f"optimizer.1.{key}"])


@pytest.mark.parametrize("name", WHOLE_AGAIN)
def test_whole_tables_are_read_from_parts(begun: Runs, moved: Runs, name: str) -> None:
    saved = checkpoint(begun, f"from_{name.split('_')[0]}", SAVED)
    for key, value in run_of(moved, name).model.items():
        assert torch.equal(value, saved[f"model.{key}"])


@pytest.mark.parametrize("name", GONE_ON)
def test_a_run_that_goes_on_ends_as_one_that_was_not_stopped(
    begun: Runs, moved: Runs, name: str
) -> None:
    there, here = checkpoint(begun, "undisturbed", LAST), checkpoint(moved, name, LAST)
    assert there.keys() == here.keys()
    for key, value in there.items():
        torch.testing.assert_close(here[key], value, rtol=1e-5, atol=1e-5, msg=key)
    assert run_of(moved, name).error == ""


def test_two_ranks_go_on_bit_for_bit(begun: Runs, moved: Runs) -> None:
    there, here = checkpoint(begun, "undisturbed", LAST), checkpoint(moved, "2_on_2", LAST)
    for key, value in there.items():
        assert torch.equal(here[key], value), key
