"""What cannot fit is told before it is allocated, and what would make it fit does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raymon.cli.main import main
from raymon.config import load
from raymon.data import pipeline_features
from raymon.embeddings import Capacity, StateNumbers, TableShape
from raymon.errors import ConfigError
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext
from raymon.training.table_memory import (
    TablesOfRun,
    check_tables_of_rank,
    why_tables_do_not_fit,
)
from tests.installed import installed_python

ROW_WISE = StateNumbers(per_row=1)
SHAPES = st.builds(
    TableShape,
    st.sampled_from("abcdef"),
    st.integers(1, 10**8),
    st.sampled_from([4, 8, 16, 64]),
    st.sampled_from(["FP32", "FP16"]),
    st.booleans(),
    shardable=st.booleans(),
)
RUNS = st.builds(
    TablesOfRun,
    st.lists(SHAPES, min_size=1, max_size=6, unique_by=lambda shape: shape.table),
    st.sampled_from([StateNumbers(), StateNumbers(1), StateNumbers(2), ROW_WISE]),
    st.just(False),
    st.integers(1, 8),
    st.booleans(),
    st.sampled_from(["cpu", "cuda"]),
)


def needs(run: TablesOfRun) -> int:
    return sum(table.total for table in run.memory())


@given(RUNS, st.floats(0.01, 1.2))
def test_what_is_said_to_fit_fits_and_nothing_less_would(run: TablesOfRun, share: float) -> None:
    there = Capacity(int(needs(run) * share), "memory")
    why = why_tables_do_not_fit(run, there, None, 0)
    assert (why is None) == (needs(run) <= there.bytes)
    if why is None:
        return
    halves = [replace(s, data_type="FP16") for s in run.shapes]
    changes = {
        "data_type: FP16": replace(run, shapes=halves),
        "rowwise_adagrad_optimizer": replace(run, states=ROW_WISE),
        "data_type: FP16 and rowwise_adagrad_optimizer": replace(
            run, shapes=halves, states=ROW_WISE
        ),
    }
    for text, changed in changes.items():
        if f"with {text} (" in why or f"or {text} (" in why:
            assert needs(changed) <= there.bytes
    for text in ("data_type: FP16", "rowwise_adagrad_optimizer"):
        is_better = needs(changes[text]) < needs(run)
        if is_better and needs(changes[text]) <= there.bytes:
            assert f"{text} (" in why


@given(RUNS, st.integers(10**6, 10**9))
def test_sharded_tables_fit_on_the_fewest_workers_that_are_named(
    run: TablesOfRun, there: int
) -> None:
    workers = run.fewest_workers(there)
    if workers is None:
        return
    assert needs(replace(run, sharded=True, world_size=workers)) <= there
    if workers > max(2, run.world_size):
        assert needs(replace(run, sharded=True, world_size=workers - 1)) > there


@given(RUNS)
def test_ranks_share_the_copies_for_a_save(run: TablesOfRun) -> None:
    alone = replace(run, sharded=False, world_size=1).memory()
    assert all(t.staging == t.rows + t.states + t.ids for t in alone)
    shared = replace(run, sharded=False).memory()
    assert [replace(t, staging=0) for t in shared] == [replace(t, staging=0) for t in alone]
    whole = sum(t.staging for t in alone)
    assert whole / run.world_size <= sum(t.staging for t in shared) <= whole


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["raymon", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), capsys.readouterr().err

    return run


@pytest.mark.parametrize("optimizer", ["sparse_optimizer", "dense_optimizer"])
def test_a_run_that_cannot_fit_is_one_line_before_anything_is_there(
    config_file: Path, command: Callable[..., tuple[int, str]], optimizer: str
) -> None:
    more = ["--set", "feature_configs[0].id_feature.hash_bucket_size=1000000000000"]
    more += ["--set", "ray_config.num_workers=0"]
    if optimizer == "dense_optimizer":
        more += ["--set", "train_config.sparse_optimizer="]
    for name in (["train"], ["config", "check"]):
        code, text = command(*name, config_file, *more)
        (line,) = [line for line in text.splitlines() if "do not fit" in line]
        assert code == 2
        assert "feature_configs: the tables do not fit into the memory: a worker needs" in line
        assert "embeddings.tables.t_user" in line
        assert "rows 32 TB" in line
    assert not (config_file.parent / "run").exists()


def test_a_card_that_is_too_small_is_named_with_what_is_free_on_it(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (20 * 10**9, 80 * 10**9))
    made = SimpleNamespace(name="NVIDIA H100", total_memory=80 * 10**9)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: made)
    context = WorkerContext(0, 1, torch.device("cuda", 0), LocalController())
    chosen = ["ray_config.use_gpu=true", "ray_config.num_workers=1"]
    # 200 million rows of 8 numbers with two moments and a gradient: 25.8 GB, but for the mask.
    rows = "feature_configs[0].id_feature.hash_bucket_size=200000000"
    config = load(config_file, [*chosen, rows])
    with pytest.raises(ConfigError) as told:
        check_tables_of_rank(config, pipeline_features(config), context)
    assert "and has 20 GB (20 GB of NVIDIA H100 that are free): " in str(told.value)
    assert "embeddings.tables.t_user" in str(told.value)
    config = load(config_file, chosen)
    check_tables_of_rank(config, pipeline_features(config), context)


def test_a_check_of_a_config_for_workers_elsewhere_warns(
    config_file: Path, command: Callable[..., tuple[int, str]]
) -> None:
    more = ["--set", "feature_configs[0].id_feature.hash_bucket_size=1000000000000"]
    code, text = command("config", "check", config_file, *more)
    assert code == 0
    assert "with 2 workers on a machine like this one: feature_configs: the tables do not" in text


PROGRAM = """
import json, re, sys
from pathlib import Path
import raymon
from raymon.data import pipeline_features
from raymon.config import load
from raymon.training.table_memory import tables_of
overrides = sys.argv[2:]
config = load(sys.argv[1], overrides)
needed = sum(t.total for t in tables_of(config, pipeline_features(config), 1).memory())
raymon.train(sys.argv[1], overrides)
most = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps([needed, int(most.group(1)) * 1024]))
"""


@pytest.mark.parametrize("data_type", ["FP32", "FP16"])
def test_a_process_takes_what_was_said_of_its_tables(config_file: Path, data_type: str) -> None:
    def run(rows: int) -> list[int]:
        overrides = [
            f"feature_configs[0].id_feature.hash_bucket_size={rows}",
            f"feature_configs[0].id_feature.data_type={data_type}",
            # Its states are written when they are made; those of zeros take memory row by row.
            "train_config.sparse_optimizer={adagrad_optimizer {initial_accumulator_value: 0.1}}",
            "ray_config.num_workers=0", "train_config.num_epochs=", "train_config.num_steps=4",
            "train_config.save_checkpoints_steps=2", "eval_config.num_steps=1",
            f"model_dir={config_file.parent / str(rows)}",
        ]  # fmt: skip
        command = [installed_python(), "-c", PROGRAM, str(config_file), *overrides]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        found: list[int] = json.loads(done.stdout.splitlines()[-1])
        return found

    (few, base), (needed, resident) = run(1000), run(4_000_000)
    said_of_tables, measured = needed - few, resident - base
    sys.stderr.write(f"said {said_of_tables:,}, measured {measured:,}\n")
    assert 0.8 * said_of_tables < measured < 1.2 * said_of_tables
