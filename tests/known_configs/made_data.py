"""Files that a config trains and is evaluated on, made for it, and how it is told of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.known_configs.blocks import Block, many, one
from tests.known_configs.cells import Cells, Rows
from tests.known_configs.columns import VOCABULARY, columns_of

_ITEMS = 40


def make_data(config: Block, folder: Path, rows: int = 512, seed: int = 0) -> dict[str, Any]:
    """Writes the files that a config needs; returns the overrides by which it reads them.

    Args:
        config: The config.
        folder: Folder that the files are written to.
        rows: Rows of training data; of evaluation data there are half as many.
        seed: Seed of the values.
    """
    columns = columns_of(config)
    overrides: dict[str, Any] = {}
    for number, (part, size) in enumerate((("train", rows), ("eval", rows // 2))):
        made = Rows(size, seed * 2 + number)
        table = pa.table({name: made.array(name, cells) for name, cells in columns.items()})
        (folder / part).mkdir(parents=True)
        for index in range(2):
            file = folder / part / f"part-{index}.parquet"
            pq.write_table(table.slice(index * size // 2, size // 2), file, row_group_size=64)
        overrides[f"{part}_input_path"] = str(folder / part)
    return {**overrides, **_sampler(config, columns, folder), **make_vocabularies(config, folder)}


def _sampler(config: Block, columns: dict[str, Cells], folder: Path) -> dict[str, Any]:
    overrides: dict[str, Any] = {}
    for kind, value in one(config, "data_config").items():
        if not kind.endswith("_sampler"):
            continue
        sampler = value[0] if isinstance(value, list) else value
        place = f"data_config.{kind}"
        delimiter = one(sampler, "attr_delimiter", ":")
        ids = columns[one(sampler, "item_id_field")].pool[:_ITEMS]
        made = Rows(len(ids), 7)
        attributes = []
        for name in many(sampler, "attr_fields"):
            cells = columns.get(name, Cells("id", ("1", "2")))
            texts = made.texts(name, replace(cells, nullable=False))
            own = ids if name == one(sampler, "item_id_field") else texts
            attributes.append([text or "" for text in own])
        weights = pa.array([1.0 + index % 3 for index in range(len(ids))], pa.float32())
        items = {
            "id": pa.array(ids).cast(pa.int64()),
            "weight": weights,
            "attrs": pa.array([delimiter.join(row) for row in zip(*attributes, strict=True)]),
        }
        tables = {"input_path": items, "item_input_path": items}
        if "user_id_field" in sampler:
            users = columns[one(sampler, "user_id_field")].pool
            ones = pa.array([1.0] * len(users), pa.float32())
            numbers = pa.array(users).cast(pa.int64())
            tables["user_input_path"] = {"id": numbers, "weight": ones}
            edges = {
                "userid": numbers,
                "itemid": pa.array([int(ids[index % len(ids)]) for index in range(len(users))]),
                "weight": ones,
            }
            tables["hard_neg_edge_input_path"] = tables["pos_edge_input_path"] = edges
        for field, table in tables.items():
            if field in sampler:
                path = folder / f"{field}.parquet"
                pq.write_table(pa.table(table), path)
                overrides[f"{place}.{field}"] = str(path)
    return overrides


def make_vocabularies(config: Block, folder: Path) -> dict[str, Any]:
    """Writes the vocabularies and tokenizers that a config needs; returns the overrides."""
    overrides: dict[str, Any] = {}
    for index, feature in enumerate(many(config, "feature_configs")):
        ((kind, value),) = feature.items()
        block = value[0] if isinstance(value, list) else value
        if "vocab_file" not in block:
            continue
        is_tokenizer = kind == "tokenize_feature"
        path = folder / ("tokenizer.json" if is_tokenizer else "vocabulary")
        if is_tokenizer:
            path.write_text(json.dumps(_tokenizer()))
        else:
            # Ids are those of the lines.
            path.write_text("".join(f"{word}\n" for word in VOCABULARY))
        overrides[f"feature_configs[{index}].{kind}.vocab_file"] = str(path)
    return overrides


def _tokenizer() -> dict[str, Any]:
    """Returns a BPE tokenizer of letters and two pairs of them, for texts with blanks."""
    letters = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ "]
    pairs = ["s h", "o l", "S H", "O L"]
    tokens = [*letters, *(pair.replace(" ", "") for pair in pairs)]
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "vocab": {token: index for index, token in enumerate(tokens)},
        "merges": [pair.split() for pair in pairs],
    }
    parts = ("normalizer", "pre_tokenizer", "post_processor", "decoder", "truncation", "padding")
    return {"version": "1.0", "added_tokens": [], **dict.fromkeys(parts), "model": model}
