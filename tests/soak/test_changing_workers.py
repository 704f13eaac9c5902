"""A run that is killed again and again, and goes on each time with another number of workers."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.integration.conftest import start_raymon

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("RAYMON_SOAK_KILLS", "50")) // 6
ROWS, BATCH, EPOCHS = 20_000, 100, 2
STEPS = EPOCHS * ROWS // BATCH

CONFIG = """
train_input_path: "{data}"
model_dir: "{run}"
train_config {{
  dense_optimizer {{ sgd_optimizer {{ lr: 0.1 }} }}
  num_epochs: {epochs}
  save_checkpoints_steps: 10
  keep_checkpoint_max: 3
}}
data_config {{ fg_mode: FG_DAG
  global_batch_size: {batch} label_fields: "click" shuffle: {shuffle} shuffle_buffer_size: 5
}}
feature_configs {{ raw_feature {{ feature_name: "row" expression: "context:row" }} }}
model_config {{
  feature_groups {{ group_name: "deep" group_type: DEEP feature_names: "row" }}
  custom {{
    class_path: "tests.soak.recording_model:RecordingModel"
    kwargs {{ key: "directory" value: '"{records}"' }}
  }}
  losses {{ binary_cross_entropy {{}} }}
}}
"""


def trained_rows(records: Path) -> list[list[int]]:
    """Returns the rows of each step, of all workers together."""
    steps: dict[int, list[int]] = {}
    for path in records.iterdir():
        for line in path.read_text().splitlines():
            step, rows = json.loads(line)
            steps.setdefault(step, []).extend(rows)
    return [sorted(steps[step]) for step in sorted(steps)]


@pytest.mark.parametrize("shuffle", ["true", "false"])
def test_every_step_trains_on_the_rows_of_the_undisturbed_run(
    ray_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shuffle: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    seed = int(os.environ.get("RAYMON_SOAK_SEED", "0")) or time.time_ns()
    print(f"\nRAYMON_SOAK_SEED={seed}")
    rng = random.Random(seed)
    table = pa.table({"row": range(ROWS), "click": [row % 2 for row in range(ROWS)]})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=500)

    def start(name: str, workers: int, *more: object) -> object:
        records = tmp_path / name / "records"
        records.mkdir(parents=True, exist_ok=True)
        config = tmp_path / name / "rows.config"
        config.write_text(
            CONFIG.format(
                data=tmp_path / "rows.parquet",
                run=tmp_path / name / "run",
                records=records,
                epochs=EPOCHS,
                batch=BATCH,
                shuffle=shuffle,
            )
        )
        address = ray_address if workers else None
        return start_raymon("train", config, "--num-workers", workers, *more, address=address)

    alone = start("alone", 0)
    assert alone.wait(timeout=300) == 0, alone.communicate()
    expected = trained_rows(tmp_path / "alone" / "records")
    assert len(expected) == STEPS
    for epoch in range(EPOCHS):
        rows = [
            row for step in expected[epoch * STEPS // EPOCHS :][: STEPS // EPOCHS] for row in step
        ]
        assert sorted(rows) == list(range(ROWS))

    run, records = tmp_path / "moving" / "run", tmp_path / "moving" / "records"
    found: list[list[int]] = []
    for kill in range(KILLS // 2 + 1):
        workers, last = rng.choice([0, 1, 2, 3]), kill == KILLS // 2
        process = start("moving", workers, *(["--resume"] if kill else []))
        saved = max((c.step for c in list_checkpoints(run)), default=0)
        wanted = STEPS if last else rng.randint(saved + 1, saved + STEPS // (KILLS // 2 + 1))
        while process.poll() is None:
            if not last and any(c.step >= wanted for c in list_checkpoints(run)):
                process.kill()
            time.sleep(0.02)
        errors = process.communicate()[1]
        assert process.returncode == (0 if last else -9), errors
        _wait_for_workers(records)
        # What was trained on past the checkpoint that the next run goes on from is taken back.
        kept = max(c.step for c in list_checkpoints(run))
        part = trained_rows(records)
        first = min(json.loads(p.read_text().splitlines()[0])[0] for p in records.iterdir())
        assert first == len(found)
        found += part[: kept - first]
        print(f"  {workers} workers: steps {first} to {kept}")
        for path in records.iterdir():
            path.unlink()
    assert found == expected
    print(f"{KILLS // 2} kills with other numbers of workers changed no step")


def _wait_for_workers(records: Path) -> None:
    """Waits until the workers of a driver that was killed are gone too."""
    import psutil

    pids = [int(path.stem) for path in records.iterdir()]
    until = time.monotonic() + 60
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < until:
        names = [psutil.Process(p).name() for p in pids if psutil.pid_exists(p)]
        if not any("RayTrainWorker" in name or "python" in name for name in names):
            return
        time.sleep(0.1)
