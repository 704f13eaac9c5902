"""Data that is made for a config has what the config asks for."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.known_configs.blocks import Block, Word, block_of, many, text_of
from tests.known_configs.columns import columns_of
from tests.known_configs.corpus import KNOWN
from tests.known_configs.made_data import make_data


def listed(value: object) -> object:
    """Returns a block whose fields are all lists."""
    if isinstance(value, dict):
        return {name: [listed(item) for item in many(value, name)] for name in value}
    return value


@pytest.mark.parametrize("name", KNOWN)
def test_the_text_of_a_config_is_read_as_the_config(name: str) -> None:
    assert listed(block_of(text_of(KNOWN[name]))) == listed(KNOWN[name])


def test_comments_commas_and_either_quote_are_read() -> None:
    text = "# none\na: [1, 2.5] b { c: 'x # y' }, d <e: TRUE>; f: ODD g: \"\\x02\" b { c: '' }"
    assert listed(block_of(text)) == {
        "a": [1, 2.5],
        "b": [{"c": ["x # y"]}, {"c": [""]}],
        "d": [{"e": [True]}],
        "f": [Word("ODD")],
        "g": ["\x02"],
    }


def made(config: Block, folder: Path, seed: int = 0) -> dict[str, list[object]]:
    overrides = make_data(config, folder, rows=60, seed=seed)
    columns: dict[str, list[object]] = pq.read_table(overrides["train_input_path"]).to_pydict()
    return columns


def test_the_same_seed_makes_the_same_data(tmp_path: Path) -> None:
    config = KNOWN["tests/multi_tower_din_fg_dynamicemb_mock"]
    first, again, other = (
        made(config, tmp_path / str(number), seed) for number, seed in enumerate((1, 1, 2))
    )
    assert first == again
    assert all(first[name] != other[name] for name in first)


def test_sequences_of_one_group_are_of_equal_length_and_one_is_too_long(tmp_path: Path) -> None:
    columns = made(KNOWN["tests/multi_tower_din_fg_mock_fp16_ga"], tmp_path)

    def lengths(name: str) -> list[int]:
        cells = columns[name]
        parts = [cell.split("|") if isinstance(cell, str) else cell for cell in cells]
        return [len(part) if isinstance(part, list) else 0 for part in parts]

    for prefix, count in (("click_50_seq__", 5), ("buy_50_", 3)):
        names = [name for name in columns if name.startswith(prefix)]
        assert len(names) == count
        assert len({tuple(lengths(name)) for name in names}) == 1
        assert max(lengths(names[0])) == 53


def test_a_column_of_two_uses_has_values_for_both() -> None:
    columns = columns_of(KNOWN["tests/multi_tower_din_fg_mock"])
    assert columns["id_3"].pool[:3] == ("a", "b", "c")
    assert columns["raw_1"].kind == "number"
    # Keys of maps are values of the columns that are looked up.
    pairs = [pair.partition(":") for pair in columns["map_3"].pool]
    assert {key for key, _, _ in pairs} == set(columns["id_2"].pool)
    assert all(0 <= int(value) < 1000 for _, _, value in pairs)


def test_ids_that_are_encoded_are_rows_of_the_tables(tmp_path: Path) -> None:
    config = KNOWN["examples/deepfm_criteo"]
    columns = made(config, tmp_path)
    for feature in config["feature_configs"]:
        if "id_feature" in feature:
            block = feature["id_feature"]
            cells = [cell for cell in columns[block["feature_name"]] if cell is not None]
            ids = {int(each) for cell in cells for each in str(cell).split("\x03")}
            assert min(ids) >= 0
            assert max(ids) < block["num_buckets"]
    assert set(columns["label"]) == {0, 1}


def test_items_that_are_sampled_have_the_attributes_of_the_items_of_rows(tmp_path: Path) -> None:
    config = KNOWN["tests/dssm_fg_mock"]
    overrides = make_data(config, tmp_path, rows=60)
    items = pq.read_table(overrides["data_config.negative_sampler.input_path"]).to_pydict()
    rows = [attributes.split("\x02") for attributes in items["attrs"]]
    assert {len(row) for row in rows} == {7}
    assert [int(row[0]) for row in rows] == items["id"]
    rows_of_data = pq.read_table(overrides["train_input_path"])["item_id"].to_pylist()
    assert set(rows_of_data) <= set(items["id"])
