"""Sharded tables on a real cluster: kills during saves, and tables as large as a catalogue."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.integration import conftest, kills

pytestmark = pytest.mark.soak

SHARDED = (
    "train_config.embedding_tables=SHARDED",
    "train_config.sparse_optimizer.rowwise_adagrad_optimizer.lr=0.05",
    # Large enough that a save takes a while.
    "feature_configs[0].id_feature.hash_bucket_size=1000000",
)

SIZES = (
    40_000_000, 39_060, 17_295, 7_424, 20_265, 3, 7_122, 1_543, 63, 40_000_000, 3_067_956, 405_282,
    10, 2_209, 11_938, 155, 4, 976, 14, 40_000_000, 40_000_000, 40_000_000, 590_152, 12_973, 108,
    36,
)  # fmt: skip
"""Rows of the tables of the Criteo terabyte data set, with at most 40,000,000 each: 204 million."""

NUMBERS = 13
BATCH, STEPS = 4_096, 20


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a cluster on this machine whose workers have TorchRec."""
    import ray

    ray.init(address="local", num_cpus=4, log_to_driver=False, configure_logging=False)
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


def test_a_worker_that_dies_in_a_save_changes_no_number(
    address: str, click_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The command line as a user with TorchRec has it.
    monkeypatch.setattr(conftest, "installed_python", lambda: sys.executable)
    for name in ("left_alone", "disturbed"):
        (tmp_path / name).mkdir()
    summary = kills.finish(kills.start(tmp_path / "left_alone", click_log, address, *SHARDED))
    directory = tmp_path / "disturbed"
    training = kills.start(directory, click_log, address, *SHARDED)
    killed = 0
    for step in (kills.SAVED_EVERY, 3 * kills.SAVED_EVERY):
        began = directory / "run" / f"model.ckpt-{step}"
        kills.wait_for(began.is_dir, training)
        if not (began / "manifest.json").exists():
            kills.kill("RayTrainWorker")
            killed += 1
    again = kills.finish(training)
    assert killed, "no save was met under way"
    print(f"\n{killed} workers killed in saves")
    kills.assert_same(directory / "run", tmp_path / "left_alone" / "run")
    assert again["samples"] == summary["samples"]


def test_tables_of_200_million_rows_train_save_resume_and_evaluate(tmp_path: Path) -> None:
    for name, rows, seed in (("train", 2 * BATCH * STEPS, 0), ("eval", 4 * BATCH, 1)):
        pq.write_table(_rows(rows, seed), tmp_path / f"{name}.parquet", row_group_size=BATCH)
    config = tmp_path / "criteo.config"
    config.write_text(_config(tmp_path))
    first, peak = _train(config, STEPS)
    assert first["status"] == "done"
    tables = sum(SIZES) * (16 * 2 + 4)
    print(
        f"\n{tables / 1e9:.1f} GB of rows and states; workers took {peak / 1e9:.1f} GB with copies"
    )
    assert np.isfinite(first["eval_metrics"]["auc"])
    again, _ = _train(config, 2 * STEPS, "--resume")
    assert (again["status"], again["steps"]) == ("done", 2 * STEPS)
    [newest] = list_checkpoints(tmp_path / "run")
    assert newest.step == 2 * STEPS


def _rows(count: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns = {f"cat_{i}": rng.integers(0, size, count) for i, size in enumerate(SIZES)}
    columns |= {f"int_{i}": rng.integers(0, 100, count) for i in range(NUMBERS)}
    return pa.table({**columns, "label": rng.integers(0, 2, count)})


def _config(folder: Path) -> str:
    ids = "".join(
        f'feature_configs {{ id_feature {{ feature_name: "cat_{i}" expression: "user:cat_{i}" '
        f'num_buckets: {size} embedding_dim: 16 data_type: "FP16" }} }}\n'
        for i, size in enumerate(SIZES)
    )
    numbers = "".join(
        f'feature_configs {{ raw_feature {{ feature_name: "int_{i}" expression: "user:int_{i}" '
        f'normalizer: "method=expression,expr=log(x+3)" }} }}\n'
        for i in range(NUMBERS)
    )
    sparse = " ".join(f'feature_names: "cat_{i}"' for i in range(len(SIZES)))
    dense = " ".join(f'feature_names: "int_{i}"' for i in range(NUMBERS))
    return f"""
train_input_path: "{folder}/train.parquet"
eval_input_path: "{folder}/eval.parquet"
model_dir: "{folder}/run"
train_config {{
  sparse_optimizer {{ rowwise_adagrad_optimizer {{ lr: 0.01 }} constant_learning_rate {{}} }}
  dense_optimizer {{ adam_optimizer {{ lr: 0.001 }} constant_learning_rate {{}} }}
  num_steps: {STEPS} save_checkpoints_steps: 1000 keep_checkpoint_max: 1
  log_step_count_steps: 10 embedding_tables: SHARDED
}}
export_config {{ exporter_type: "latest" export_at_end: false }}
data_config {{ fg_mode: FG_DAG batch_size: {BATCH} label_fields: "label" num_workers: 1 }}
{ids}{numbers}
model_config {{
  feature_groups {{ group_name: "sparse" group_type: DEEP {sparse} }}
  feature_groups {{ group_name: "dense" group_type: DEEP {dense} }}
  dlrm {{ dense_mlp {{ hidden_units: [64, 16] }} final {{ hidden_units: [64, 32] }} }}
  losses {{ binary_cross_entropy {{}} }}
  metrics {{ auc {{}} }}
}}
ray_config {{ num_workers: 2 }}
"""


def _train(config: Path, steps: int, *more: str) -> tuple[dict, int]:
    """Trains; returns the summary, and the most bytes that workers took together."""
    command = [sys.executable, "-m", "raymon.cli", "train", str(config), "--json", *more]
    command += ["--set", f"train_config.num_steps={steps}"]
    began, peak = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as training:
        while training.poll() is None:
            taken = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    if process.cmdline()[0].startswith("ray::RayTrainWorker"):
                        taken += process.memory_info().rss - process.memory_info().shared
                except (psutil.Error, IndexError):
                    continue
            peak = max(peak, taken)
            if time.monotonic() - began > 900:
                os.kill(training.pid, signal.SIGTERM)
            time.sleep(0.5)
        assert training.stdout is not None
        output = training.stdout.read()
    assert training.returncode == 0
    print(f"  {' '.join(more)} {steps} steps: {time.monotonic() - began:.0f} s")
    return json.loads(output), peak
