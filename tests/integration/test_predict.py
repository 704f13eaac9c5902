"""Predictions on workers of Ray: the rows of one process, or nothing."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import raymon
from tests.conftest import CONFIG
from tests.integration.conftest import run_raymon


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, click_log: Path) -> Path:
    folder = tmp_path_factory.mktemp("predicted")
    config = folder / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=folder / "run"))
    raymon.train(config, {"ray_config.num_workers": 0, "train_config.num_steps": 20})
    return folder / "run"


def test_workers_write_the_rows_of_one_process(
    ray_address: str, run: Path, click_log: Path, tmp_path: Path
) -> None:
    rows = click_log / "eval"
    arguments = ["predict", run, rows]
    options = ["--keep", "click", "--output-columns", "probs,user_id", "--batch-size", 100]
    alone = run_raymon(*arguments, tmp_path / "alone.parquet", *options)
    assert alone.returncode == 0, alone.stderr
    on_ray = [*arguments, tmp_path / "parts", *options, "--num-workers", 2]
    shared = run_raymon(*on_ray, address=ray_address)
    assert shared.returncode == 0, shared.stderr
    assert shared.stdout == f"{pq.read_table(rows).num_rows:,} rows: {tmp_path / 'parts'}\n"
    whole = pq.read_table(tmp_path / "alone.parquet")
    assert len(list((tmp_path / "parts").glob("part-*.parquet"))) > 2
    found = pq.read_table(tmp_path / "parts")
    assert found.drop_columns("probs").equals(whole.drop_columns("probs"))
    assert abs(found["probs"].to_numpy() - whole["probs"].to_numpy()).max() <= 1e-6
    # A row that a worker cannot score: one line, and what was there stays.
    table = pq.read_table(rows).slice(0, 1000)
    prices = [*table["price"].to_pylist()[:-1], float("nan")]
    place = table.schema.get_field_index("price")
    (tmp_path / "bad").mkdir()
    pq.write_table(
        table.set_column(place, "price", pa.array(prices)), tmp_path / "bad" / "a.parquet"
    )
    before = {path: path.read_bytes() for path in (tmp_path / "parts").iterdir()}
    failed = run_raymon(
        "predict", run, tmp_path / "bad", tmp_path / "parts", "--num-workers", 2, "--batch-size",
        100, "--overwrite", address=ray_address,
    )  # fmt: skip
    assert failed.returncode == 2, failed.stderr
    *progress, line = failed.stderr.splitlines()
    assert "a.parquet: row group 0: feature price" in line
    assert all("INFO Scored" in each for each in progress)
    assert {path: path.read_bytes() for path in (tmp_path / "parts").iterdir()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["alone.parquet", "bad", "parts"]
