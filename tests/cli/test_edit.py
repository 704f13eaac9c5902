"""--edit takes overrides as JSON, before those of --set."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from raymon.cli.config import check
from raymon.errors import ConfigError
from tests.config.texts import TEXT, write

ODPS = TEXT.replace("fg_mode: FG_DAG", "fg_mode: FG_DAG dataset_type: OdpsDataset")
PARQUET = '{"data_config.dataset_type": "ParquetDataset"}'


def checked(path: str, *arguments: str) -> Result:
    return CliRunner().invoke(check, [path, *arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    "saving", [("--edit", PARQUET), ("--set", "data_config.dataset_type=ParquetDataset")]
)
def test_a_config_of_odps_is_saved_by_either_option(
    tmp_path: Path, saving: tuple[str, str]
) -> None:
    path = write(tmp_path, ODPS)
    with pytest.raises(ConfigError, match="raymon does not have OdpsDataset yet; write what it"):
        checked(path)
    assert checked(path, *saving).output == f"{path}: ok\n"


def test_what_is_set_comes_after_what_is_edited(tmp_path: Path) -> None:
    path, wrong = write(tmp_path), '{"data_config.batch_size": 0}'
    with pytest.raises(ConfigError, match=r"^--set data_config\.batch_size=0: data_config"):
        checked(path, "--edit", wrong)
    right = checked(path, "--set", "data_config.batch_size=8", "--edit", wrong)
    assert right.output == f"{path}: ok\n"


def test_text_that_is_no_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--edit \{x: is not JSON: "):
        checked(write(tmp_path), "--edit", "{x")
