"""Data on S3, which moto's server imitates."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pyarrow import fs

import raymon
from raymon.training.checkpoint.manifest import list_checkpoints
from tests.checkpoints import saved_model

pytest.importorskip("moto")
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return saved_model(list_checkpoints(run)[-1].path)


def test_a_run_on_s3_is_the_run_on_the_same_files_here(
    config_file: Path, click_log: Path, endpoint: str, tmp_path: Path
) -> None:
    storage = fs.S3FileSystem(endpoint_override=endpoint, scheme="http", allow_bucket_creation=True)
    storage.create_dir("clicks")
    for split in ("train", "eval"):
        fs.copy_files(str(click_log / split), f"clicks/log/{split}", destination_filesystem=storage)
    places = {
        "here": (f"{click_log}/train", f"{click_log}/eval"),
        "there": ("s3://clicks/log/train", "s3://clicks/log/eval/*.parquet"),
        "told": (
            f"s3://clicks/log/train?endpoint_override={endpoint}&scheme=http",
            "s3://clicks/log/eval",
        ),
    }
    for name, (train, evaluation) in places.items():
        overrides = {
            "train_input_path": train,
            "eval_input_path": evaluation,
            "model_dir": str(tmp_path / name),
            "ray_config.num_workers": 0,
            "train_config.num_steps": 30,
        }
        raymon.train(config_file, overrides)
        # It goes on too: the files are known again.
        raymon.train(config_file, {**overrides, "train_config.num_steps": 50}, resume=True)
    expected = weights(tmp_path / "here")
    for name in ("there", "told"):
        for parameter, weight in weights(tmp_path / name).items():
            assert torch.equal(weight, expected[parameter]), (name, parameter)
    print("\nruns on S3 were the run on local files, bit for bit")


def test_what_is_not_there_and_who_does_not_answer_are_told(
    config_file: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fs.S3FileSystem(
        endpoint_override=endpoint, scheme="http", allow_bucket_creation=True
    ).create_dir("empty")
    with pytest.raises(raymon.DataError, match="s3://empty/log: matches no file"):
        raymon.train(config_file, {"train_input_path": "s3://empty/log"})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(raymon.DataError, match="s3://empty/log: cannot be listed: "):
        raymon.train(config_file, {"train_input_path": "s3://empty/log"})
