"""Scores of a run, of its checkpoint and of its export, in one file or in parts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import raymon
from raymon.config import read_saved
from raymon.data import DataReader, build_features
from raymon.errors import DataError, RaymonError, RunError
from raymon.models import build_model
from raymon.serving import (
    check_output_directory,
    choose_columns,
    drafted_parts,
    open_input,
    part_path,
    write_part,
)
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.checkpoint.restore import load_model
from raymon.training.export import export_run
from raymon.training.predict import predict_rows
from raymon.training.scorer import open_scorer
from tests.conftest import CONFIG

EMA = "train_config.dense_optimizer.ema.decay"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, click_log: Path) -> Path:
    """A run of 40 steps whose evaluations use averages, with a checkpoint every 20."""
    folder = tmp_path_factory.mktemp("predicted")
    config = folder / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=folder / "run"))
    raymon.train(config, {"ray_config.num_workers": 0, "train_config.num_steps": 40, EMA: 0.9})
    return folder / "run"


@pytest.fixture
def rows(click_log: Path, tmp_path: Path) -> Path:
    """1,000 raw rows in two files, of row groups that no batch ends with."""
    table = pq.read_table(click_log / "eval").slice(0, 1000)
    (tmp_path / "rows").mkdir()
    pq.write_table(table.slice(0, 600), tmp_path / "rows" / "a.parquet", row_group_size=170)
    pq.write_table(table.slice(600), tmp_path / "rows" / "b.parquet", row_group_size=999)
    return tmp_path / "rows"


def scores(model: Path, rows: Path, output: Path, **options: object) -> pa.Table:
    assert predict_rows(model, str(rows), output, **options) == 1000
    return pq.read_table(output)


def test_a_run_and_its_checkpoint_score_as_their_export_does(
    run: Path, rows: Path, tmp_path: Path
) -> None:
    export_run(run, tmp_path / "export", "20")
    expected = scores(tmp_path / "export", rows, tmp_path / "of-export")
    for name, found in {
        "run": scores(run, rows, tmp_path / "of-run", checkpoint="20"),
        "checkpoint": scores(run / "model.ckpt-20", rows, tmp_path / "of-checkpoint"),
    }.items():
        assert found.column_names == expected.column_names == ["logits", "probs"]
        for column in found.column_names:
            off = np.abs(found[column].to_numpy() - expected[column].to_numpy()).max()
            assert off <= 1e-6, (name, column)
    newest = scores(run, rows, tmp_path / "of-newest")
    assert newest.equals(scores(run, rows, tmp_path / "of-40", checkpoint="40"))


def test_averages_are_scored_where_a_run_has_them(run: Path, rows: Path, tmp_path: Path) -> None:
    found = scores(run, rows, tmp_path / "newest")
    config = read_saved(run)
    features = build_features(config.feature_configs)
    model = build_model(config, features)
    load_model(model, list_checkpoints(run)[-1])
    scorer = open_scorer(run)
    (batch,) = DataReader(str(rows), scorer.columns, batch_size=1000).epoch(0)
    with torch.inference_mode():
        plain = model.eval().predict(batch)["probs"].numpy()
    assert np.abs(plain - found["probs"].to_numpy()).max() > 1e-4


def test_output_columns_are_those_that_are_named_in_their_order(
    run: Path, rows: Path, tmp_path: Path
) -> None:
    whole = scores(run, rows, tmp_path / "whole", keep=["click"])
    some = scores(
        run, rows, tmp_path / "some", keep=["click"], batch_size=77,
        output_columns=["probs", "user_id", "probs"],
    )  # fmt: skip
    assert some.column_names == ["click", "probs", "user_id"]
    assert some["user_id"].equals(pq.read_table(rows)["user_id"])
    assert some["click"].equals(whole["click"])
    np.testing.assert_allclose(some["probs"].to_numpy(), whole["probs"].to_numpy(), atol=1e-6)
    alone = scores(run, rows, tmp_path / "alone", output_columns=["logits"])
    assert alone.column_names == ["logits"]
    inputs = scores(run, rows, tmp_path / "inputs", output_columns=["user_id"])
    assert inputs.column_names == ["user_id"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"output_columns": ["prob"]},
            r"--output-columns prob: is neither .* did you mean probs\?",
        ),
        ({"output_columns": ["x"]}, r"--output-columns x: .*the predictions are logits, probs$"),
        ({"keep": ["usr"]}, r"--keep: .*has no column usr"),
        ({"checkpoint": "30"}, r"--checkpoint 30: not there; it has 20, 40"),
        ({"address": "auto"}, r"--address: has no effect without workers"),
    ],
)
def test_what_is_not_there_is_named(
    run: Path, rows: Path, tmp_path: Path, options: dict[str, object], says: str
) -> None:
    with pytest.raises(RaymonError, match=says) as error:
        predict_rows(run, str(rows), tmp_path / "new" / "out", **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "new").exists()


def test_a_model_that_is_none_is_refused_in_one_line(run: Path, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "model.ckpt-20").symlink_to(run / "model.ckpt-20")
    (tmp_path / "torn" / "model.ckpt-7").mkdir(parents=True)
    (tmp_path / "torn" / "pipeline.config").write_bytes((run / "pipeline.config").read_bytes())
    for model, says in [
        (tmp_path / "empty", "is no run, checkpoint or export: it has neither pipeline.config nor"),
        (tmp_path / "gone", "is not there; give the directory of a run, of a checkpoint or of"),
        (tmp_path / "torn", "--checkpoint latest: not there; it has no checkpoint"),
        (tmp_path / "torn" / "model.ckpt-7", "is no complete checkpoint"),
        (tmp_path / "moved" / "model.ckpt-20", "has no pipeline.config, which says what model"),
    ]:
        with pytest.raises(RunError, match=says):
            predict_rows(model, str(rows), tmp_path / "out")
    with pytest.raises(RunError, match="is a checkpoint, so --checkpoint says nothing"):
        predict_rows(run / "model.ckpt-20", str(rows), tmp_path / "out", checkpoint="20")
    with pytest.raises(RunError, match=r"is in the model .*model.ckpt-40; give another OUTPUT"):
        predict_rows(run, str(rows), run / "model.ckpt-40" / "out")


def write_parts(run: Path, rows: Path, output: Path, part_rows: int, batch_size: int) -> int:
    """Writes the output in parts as workers do, in this process; returns their number."""
    check_output_directory(str(rows), output, overwrite=True)
    scorer = open_scorer(run)
    reader = open_input(scorer, str(rows), batch_size, 0)
    columns = choose_columns(scorer, reader, ["click"], ["probs"])
    parts = reader.parts(part_rows)
    with drafted_parts(output) as draft:
        for number, part in reversed(list(enumerate(parts))):
            write_part(scorer, str(rows), part, columns, batch_size, part_path(draft, number))
            assert not output.exists() or (output / "_SUCCESS").exists()
    return len(parts)


def test_parts_together_are_the_file_of_one_process(run: Path, rows: Path, tmp_path: Path) -> None:
    whole = scores(
        run, rows, tmp_path / "whole", keep=["click"], output_columns=["probs"], batch_size=50
    )
    for part_rows, parts in ((350, 3), (50, 20), (1000, 1), (5000, 1)):
        output = tmp_path / "new" / "parts"
        assert write_parts(run, rows, output, part_rows, batch_size=50) == parts
        names = sorted(path.name for path in output.iterdir())
        assert names == ["_SUCCESS", *(f"part-{n:05}.parquet" for n in range(parts))]
        # Bit for bit, since batches are the same.
        assert pq.read_table(output).equals(whole)
    assert [path.name for path in output.parent.iterdir()] == ["parts"]


def stopped(output: Path, error: type[BaseException]) -> None:
    with drafted_parts(output) as draft:
        (draft / "part-00000.parquet").write_bytes(b"half")
        raise error


@pytest.mark.parametrize("there", [False, True])
def test_parts_that_are_interrupted_leave_what_was_there(tmp_path: Path, there: bool) -> None:
    output = tmp_path / "new" / "parts"
    if there:
        output.mkdir(parents=True)
        (output / "part-00000.parquet").write_bytes(b"of before")
    for error in (KeyboardInterrupt, DataError):
        with pytest.raises(error):
            stopped(output, error)
        left = {p.relative_to(tmp_path).as_posix(): p.is_file() for p in tmp_path.rglob("*")}
        before = {"new": False, "new/parts": False, "new/parts/part-00000.parquet": True}
        assert left == (before if there else {})


def test_parts_replace_nothing_but_parts(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"of somebody")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "notes.txt").write_bytes(b"of somebody")
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "part-00000.parquet").write_bytes(b"before")
    (tmp_path / "empty").mkdir()
    os.symlink(rows, tmp_path / "link")
    for name, overwrite, says in [
        ("file", True, "is a file, and workers write a directory"),
        ("notes", True, r"has notes\.txt, which is of no prediction, and is left as it is"),
        ("before", False, "is there already; --overwrite replaces it"),
        ("rows", True, "would be read with it; give another OUTPUT"),
        ("rows/new", True, "would be read with it; give another OUTPUT"),
        ("link", True, "would be read with it; give another OUTPUT"),
        ("scores.csv", True, "workers write a directory of Parquet files"),
    ]:
        with pytest.raises(RunError, match=says):
            check_output_directory(str(rows), tmp_path / name, overwrite)
    check_output_directory(str(rows), tmp_path / "before", overwrite=True)
    check_output_directory(str(rows), tmp_path / "empty", overwrite=False)
    check_output_directory(str(rows), tmp_path / "scores.parquet", overwrite=False)
