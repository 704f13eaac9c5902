"""Each known config is parsed and checked, and its features and its model are built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from raymon.config import load
from raymon.errors import ConfigError
from raymon.training.prepare import check_config
from tests.known_configs.blocks import Block, block_of, one
from tests.known_configs.edits import as_set, of_a_short_run, without_odps
from tests.known_configs.given import texts
from tests.known_configs.made_data import make_vocabularies
from tests.known_configs.status import REFUSED, TRAINED

TEXTS = texts()
# Files of a folder are any versions of the configs: they are checked, or refused in one line.
ARE_OURS = "RAYMON_KNOWN_CONFIGS" not in os.environ


@pytest.mark.parametrize("name", TEXTS)
def test_a_known_config_is_checked_with_its_model_or_refused_in_one_line(
    name: str, tmp_path: Path
) -> None:
    file = tmp_path / "known.config"
    file.write_text(TEXTS[name])
    block = block_of(TEXTS[name])
    # What is refused is not said to be so by an override in it.
    is_refused = ARE_OURS and name in REFUSED
    overrides = {
        **(without_odps(block) if is_refused else of_a_short_run(block, tmp_path / "run")),
        **({} if is_refused else make_vocabularies(block, tmp_path)),
        **dict.fromkeys(("train_input_path", "eval_input_path"), "data"),
        **({} if is_refused else paths_of_items(block)),
    }
    reason = refusal(file, as_set(overrides))
    assert "\n" not in reason
    print(f"{name}: {reason.replace(str(tmp_path), '')}")
    if ARE_OURS:
        assert REFUSED.get(name, "") in reason
        assert (not reason) == (name in TRAINED), reason


def paths_of_items(block: Block) -> dict[str, str]:
    """Returns overrides by which paths of tables of items and users are not empty."""
    return {
        f"data_config.{name}.{field}": "items"
        for name, value in one(block, "data_config").items()
        if name.endswith("sampler")
        for field in (value[0] if isinstance(value, list) else value)
        if field.endswith("input_path")
    }


def refusal(file: Path, overrides: list[str]) -> str:
    """Returns why a config is refused; "" if it is not."""
    try:
        check_config(load(file, overrides))
    except ConfigError as error:
        return str(error)
    return ""
