"""`raymon doctor` on this machine: what it says, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from raymon.cli.commands import raymon


def doctor(*arguments: object) -> Result:
    return CliRunner().invoke(raymon, ["doctor", *map(str, arguments)])


def test_a_run_that_can_begin_is_fine_and_nothing_is_written(config_file: Path) -> None:
    before = sorted(config_file.parent.iterdir())
    result = doctor(config_file, "--num-workers", 0, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["scope"], told["will_fail"]) == ("machine", False)
    assert "row_groups" in told["looked_at"]
    assert sorted(config_file.parent.iterdir()) == before


def test_a_run_that_cannot_begin_says_why_with_the_remedy(config_file: Path) -> None:
    result = doctor(
        config_file, "--set", "train_input_path=/no/such", "--set", "model_dir=/proc/run"
    )
    assert result.exit_code == 1
    assert "FAILS  config: /no/such: matches no file" in result.stdout
    assert "FAILS  storage: /proc/run: cannot be written" in result.stdout
    assert result.stdout.count("remedy: ") >= 2
    assert result.stdout.startswith("Looked at this machine alone")


def test_a_bad_config_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "bad.config").write_text("nonsense: 1")
    result = doctor(tmp_path / "bad.config")
    assert "nonsense" in str(result.exception)


def test_without_a_config_there_is_nothing_to_set() -> None:
    result = doctor("--num-workers", 2)
    assert "give CONFIG" in str(result.exception)
