"""Runs on datasets in this process, and errors for values that are no datasets."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import raymon
from raymon.training.checkpoint.manifest import list_checkpoints
from tests.checkpoints import saved_model

ROWS = 10_000


def train(config_file: Path, datasets: dict[str, Any], *overrides: str, **options: bool) -> Any:
    chosen = ["ray_config.num_workers=0", "train_config.log_step_count_steps=5", *overrides]
    return raymon.train(config_file, chosen, datasets=datasets, **options)


def weights(run: str) -> dict[str, torch.Tensor]:
    return saved_model(list_checkpoints(Path(run))[-1].path)


def test_a_dataset_trains_the_model_that_its_files_train(
    config_file: Path, click_log: Path
) -> None:
    def tables() -> Iterator[pa.RecordBatch]:
        for path in sorted((click_log / "train").glob("*")):
            yield from pq.ParquetFile(path).iter_batches(700)

    def rows() -> Iterator[dict[str, Any]]:
        yield from pq.read_table(click_log / "eval").to_pylist()

    plain = ["data_config.shuffle=false", "data_config.global_batch_size=256"]
    by_files = train(config_file, {}, f"model_dir={config_file.parent}/a", *plain,
                     "data_config.num_streams=1")  # fmt: skip
    no_files = config_file.with_name("other.config")
    kept = (line for line in config_file.read_text().splitlines() if "_input_path" not in line)
    no_files.write_text("\n".join(kept))
    given = {"train": tables, "eval": rows}
    by_dataset = train(no_files, given, f"model_dir={config_file.parent}/b", *plain)
    assert (by_dataset.status, by_dataset.steps, by_dataset.epochs) == ("done", 80, 2)
    assert by_dataset.samples == by_files.samples == 2 * ROWS
    assert by_dataset.train_metrics == by_files.train_metrics
    assert by_dataset.eval_metrics == pytest.approx(dict(by_files.eval_metrics), rel=1e-6)
    expected = weights(by_files.model_dir)
    for name, weight in weights(by_dataset.model_dir).items():
        assert torch.equal(weight, expected[name]), name
    # Such a run is scored like any other.
    _, scores = raymon.evaluate_run(Path(by_dataset.model_dir), datasets={"eval": rows})
    assert scores == pytest.approx(dict(by_dataset.eval_metrics))


def test_what_there_was_before_the_first_step_is_no_garbage_to_look_for(
    config_file: Path, click_log: Path
) -> None:
    frozen = []

    def rows() -> Iterator[pa.RecordBatch]:
        for path in sorted((click_log / "train").glob("*")):
            frozen.append(gc.get_freeze_count())
            yield from pq.ParquetFile(path).iter_batches(700)

    before = gc.get_freeze_count()
    train(config_file, {"train": rows, "eval": rows})
    assert max(frozen) > before + 10_000
    assert gc.get_freeze_count() == 0


def test_rows_that_fill_no_batch_are_counted(config_file: Path, click_log: Path) -> None:
    summary = train(
        config_file, {"train": [pq.read_table(click_log / "train")]},
        "data_config.drop_remainder=true", "data_config.shuffle=false",
    )  # fmt: skip
    assert summary.samples == 2 * (ROWS - ROWS % 256)
    assert summary.input_counts["rows_left_over"] == 2 * (ROWS % 256)


def test_a_stream_that_never_ends_is_trained_on_for_some_steps(
    config_file: Path, click_log: Path
) -> None:
    table = pq.read_table(click_log / "train")

    def for_ever() -> Iterator[pa.Table]:
        while True:
            yield table.slice(0, 1000)

    steps = ("train_config.num_steps=90", "train_config.save_checkpoints_epochs=1")
    summary = train(config_file, {"train": for_ever}, *steps, "data_config.shuffle=false")
    assert (summary.steps, summary.epochs, summary.samples) == (90, 0, 90 * 256)


def test_a_generator_lasts_for_one_epoch(config_file: Path, click_log: Path) -> None:
    def generator() -> Iterator[pa.Table]:
        yield pq.read_table(click_log / "train")

    with pytest.raises(
        raymon.DataError, match=r"gave no rows in epoch 1; .* function in place of a gen"
    ):
        train(config_file, {"train": generator()})


def test_an_evaluation_without_rows_is_an_error(config_file: Path, click_log: Path) -> None:
    train_table = [pq.read_table(click_log / "train")]
    with pytest.raises(raymon.DataError, match="evaluation data gave no rows"):
        train(config_file, {"train": train_table, "eval": []})


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ({"trian": []}, 'datasets["trian"]: no dataset of a run; did you mean "train"?'),
        ({"x": []}, 'datasets["x"]: no dataset of a run; there are "train" and "eval"'),
        ({"train": 3}, 'datasets["train"]: is a int; a dataset is a ray.data.Dataset, an iterable'),
        (
            {"train": lambda path: []},
            'datasets["train"]: the function needs path; it may ask for rank, world_size, epoch',
        ),
        ({"train": []}, 'datasets["train"]: gave no rows in epoch 0; it must give some'),
        (
            {"train": [{"click": [0]}]},
            'datasets["train"]: has no column user_id, needed as feature',
        ),
    ],
)
def test_what_is_no_dataset_is_told(
    config_file: Path, datasets: dict[str, Any], message: str
) -> None:
    with pytest.raises(raymon.UserError) as error:
        train(config_file, datasets)
    assert str(error.value).startswith(message)


def test_several_workers_need_a_function_of_their_rank(config_file: Path) -> None:
    with pytest.raises(raymon.DataError, match="does not ask for its rank, so 2 workers would"):
        raymon.train(config_file, datasets={"train": lambda epoch: []})
    assert not (config_file.parent / "run").exists()


def test_a_run_says_what_it_cannot_promise(
    config_file: Path, click_log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train(config_file, {"train": [pq.read_table(click_log / "train")]}, "train_config.num_steps=2")
    said = caplog.text
    assert 'datasets["train"]: has no state_dict and load_state_dict: a run that goes on' in said
    assert 'train_input_path: not read; datasets["train"] takes its place' in said
    assert "data_config.shuffle: has no effect" in said
