"""Options of log lines, and handlers that a config names."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from raymon.cli.commands import raymon
from raymon.errors import ConfigError
from raymon.log import choose_format, choose_level


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    logger = logging.getLogger("raymon")
    before = logger.handlers, logger.level, logger.propagate
    # As in a process of a command, whose only handlers are those of raymon.
    logger.handlers, logger.propagate = [], False
    yield
    logger.handlers, logger.level, logger.propagate = before
    choose_level(None)
    choose_format(None)


def train(config_file: Path, *arguments: object) -> Result:
    few = ("--num-workers", 0, "--set", "train_config.num_epochs=1")
    return CliRunner().invoke(raymon, ["train", *map(str, (config_file, *few, *arguments))])


def test_the_terminal_says_what_was_asked_for_and_the_file_more(
    config_file: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    result = train(config_file, "--set", f"model_dir={run}", "--log-level", "error")
    assert result.exit_code == 0, result.output
    assert "INFO" not in result.stderr
    lines = [json.loads(line) for line in (run / "logs" / "driver.log").read_text().splitlines()]
    progress = [line for line in lines if line.get("event") == "progress"]
    assert progress[-1]["losses"]["total_loss"] > 0
    assert progress[-1]["samples_per_second"] > 0
    assert {line["process"] for line in lines} == {"driver"}
    assert lines[-1]["event"] == "end"


def test_json_on_the_terminal_has_numbers_as_fields(config_file: Path, tmp_path: Path) -> None:
    result = train(config_file, "--set", f"model_dir={tmp_path / 'run'}", "--log-format", "json")
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    (evaluation, *_) = [line for line in lines if line.get("event") == "evaluation"]
    assert 0 <= evaluation["metrics"]["auc"] <= 1
    assert evaluation["attempt"] == 1


def test_a_config_of_somebody_else_calls_nothing(
    config_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAYMON_ALLOW_CUSTOM_CLASSES", raising=False)
    monkeypatch.setattr("raymon.config.custom._allowed", False)
    handlers = {"version": 1, "handlers": {"h": {"()": "os.mkdir", "path": str(tmp_path / "no")}}}
    (tmp_path / "logging.json").write_text(json.dumps(handlers))
    path = f"monitor_config.logging_config_path={tmp_path / 'logging.json'}"
    result = train(config_file, "--set", f"model_dir={tmp_path / 'run'}", "--set", path)
    assert isinstance(result.exception, ConfigError)
    assert "monitor_config.logging_config_path" in str(result.exception)
    assert "--allow-custom-classes" in str(result.exception)
    assert not (tmp_path / "no").exists()
    assert not (tmp_path / "run").exists()
