from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from raymon.config import load, read_saved, save
from raymon.errors import ConfigError, RunError
from tests.config.texts import write


def test_what_is_saved_is_what_is_read_and_no_field_more(tmp_path: Path) -> None:
    config = load(write(tmp_path), {"model_dir": "ü\n\x1d", "train_config.num_steps": 3})
    run = tmp_path / "a" / "run"
    save(config, run)
    save(config, run)
    assert read_saved(run) == config
    assert read_saved(run, ["train_config.num_steps=5"]).train_config.num_steps == 5
    assert "batch_size" not in (run / "pipeline.config").read_text()
    assert (run / "version").read_text().strip() == version("raymon")
    assert {path.name for path in run.iterdir()} == {"pipeline.config", "version"}


def test_what_has_no_effect_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = load(write(tmp_path), {"data_config.with_header": True})
    assert "data_config.with_header: has no effect" in caplog.text
    save(config, tmp_path / "run")
    caplog.clear()
    assert read_saved(tmp_path / "run").data_config.with_header
    assert caplog.messages == []
    read_saved(tmp_path / "run", ["data_config.delimiter=;"])
    assert [message.partition(": ")[2][:39] for message in caplog.messages] == [
        "data_config.delimiter: has no effect: i"
    ]


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"has no pipeline\.config; give the model_dir of a run"):
        read_saved(tmp_path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        save(load(write(tmp_path)), tmp_path / "file" / "run")


def test_a_saved_config_that_was_cut_is_told(tmp_path: Path) -> None:
    (tmp_path / "pipeline.config").write_text('model_dir: "x"\n')
    with pytest.raises(ConfigError, match="train_config: is missing"):
        read_saved(tmp_path)
