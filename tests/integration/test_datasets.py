"""Datasets in place of files, on Ray with 2 workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import raymon

ROWS = 10_000


def test_every_row_of_ray_data_is_trained_on_once_an_epoch(
    config_file: Path, click_log: Path, ray_address: str
) -> None:
    import ray.data

    def evaluation(rank: int, world_size: int) -> Iterator[pa.Table]:
        table = pq.read_table(click_log / "eval")
        yield table.take(list(range(rank, len(table), world_size)))

    # An odd number: making the parts of 2 workers equal would cost a row.
    rows = ROWS - 1
    train = ray.data.read_parquet(str(click_log / "train")).limit(rows)
    summary = raymon.train(config_file, datasets={"train": train, "eval": evaluation})
    assert (summary.status, summary.samples, summary.epochs) == ("done", 2 * rows, 2)
    # The same scores come from the files, whichever rank has which of the rows.
    alone = ["ray_config.num_workers=0"]
    step, scores = raymon.evaluate_run(Path(summary.model_dir), "latest", alone)
    assert step == summary.steps
    for name, score in summary.eval_metrics.items():
        assert scores[name] == pytest.approx(score, abs=2e-3), name
    again = {"eval": ray.data.read_parquet(str(click_log / "eval"))}
    _, by_ray = raymon.evaluate_run(Path(summary.model_dir), "latest", alone, datasets=again)
    assert by_ray == pytest.approx(scores, rel=1e-5)


def test_ray_data_reads_the_files_of_a_config(
    config_file: Path, click_log: Path, ray_address: str
) -> None:
    summary = raymon.train(
        config_file,
        [
            "data_config.dataset_type=RayDataset",
            f"train_input_path={click_log}/train/part-*.parquet",
            "ray_config.num_workers=0",
        ],
    )
    assert (summary.status, summary.samples, summary.epochs) == ("done", 2 * ROWS, 2)
    assert summary.steps == 2 * -(-ROWS // 256)


def test_what_cannot_be_sent_to_workers_is_told(config_file: Path, ray_address: str) -> None:
    generator = (row for row in [{"click": 1}])
    with pytest.raises(raymon.DataError, match=r'datasets\["train"\]: cannot be sent to workers'):
        raymon.train(config_file, datasets={"train": generator})
