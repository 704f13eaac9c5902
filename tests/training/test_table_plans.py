"""A run says where its tables are: at the start, in its directory, and in its checkpoints."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from google.protobuf import text_format

import raymon
from raymon.data import EmbeddingSpec
from raymon.embeddings import EmbeddingCollection, ShardedTable, sharded_tables
from raymon.protos.train_pb2 import TrainConfig
from raymon.storage import storage_path
from raymon.training.table_plans import plan_tables, read_plans, write_plans

BASE = [
    "ray_config.num_workers=0", "train_config.num_epochs=", "train_config.num_steps=2",
    "train_config.save_checkpoints_steps=1", "eval_config.num_steps=1",
]  # fmt: skip


def test_the_plan_is_shown_and_kept(config_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = config_file.parent / "run"
    half = "feature_configs[0].id_feature.data_type=FP16"
    with caplog.at_level(logging.INFO, logger="raymon"):
        raymon.train(config_file, [*BASE, half])
    told = json.loads((run / "tables.json").read_text())
    assert told["world_size"] == 1
    user = {
        "table": "embeddings.tables.t_user", "rows": 1000, "dim": 8, "data_type": "FP16",
        "sharding": "replicated", "kernel": "torch", "ranks": [0],
        # Adam keeps two numbers in FP32 for each.
        "bytes_a_rank": 1000 * 8 * (2 + 8),
    }  # fmt: skip
    by_name = {plan["table"]: plan for plan in told["embedding_tables"]}
    assert by_name["embeddings.tables.t_user"] == user
    assert len(by_name) == 6
    assert json.loads((run / "run.json").read_text())["embedding_tables"] == list(by_name.values())
    for step in (1, 2):
        manifest = json.loads((run / f"model.ckpt-{step}" / "manifest.json").read_text())
        assert manifest["embedding_tables"] == list(by_name.values())
    lines = [" ".join(message.split()) for message in caplog.messages]
    assert "table rows dim type sharding kernel ranks a rank" in lines
    assert "embeddings.tables.t_user 1,000 8 FP16 replicated torch 0 80 kB" in lines
    assert any(line.startswith("6 tables ") for line in lines)


@dataclass(frozen=True)
class Placement:
    """What a sharded engine says of a table."""

    sharding: str
    kernel: str
    ranks: tuple[tuple[int, int, int], ...]


class Sharded(torch.nn.Module):
    """A model one of whose tables is sharded."""

    def __init__(self) -> None:
        super().__init__()
        specs = {"a": EmbeddingSpec("a", 100, 8), "b": EmbeddingSpec("b", 10, 3)}
        with sharded_tables():
            self.embeddings = EmbeddingCollection(specs)
        parts = ((1, 60, 8), (0, 40, 8))
        place = {"embeddings.tables.t_a.weight": Placement("row_wise", "fused", parts)}
        self.sharded = SimpleNamespace(placements=place)


def test_the_plan_of_a_sharded_table_is_that_of_its_engine() -> None:
    model: Any = Sharded()
    assert isinstance(model.embeddings.table_of("a"), ShardedTable)
    config = text_format.Parse("sparse_optimizer { adagrad_optimizer {} }", TrainConfig())
    sharded, whole = plan_tables(config, model, 2)
    assert (sharded.sharding, sharded.kernel, sharded.ranks) == ("row_wise", "fused", (0, 1))
    assert sharded.bytes_a_rank == 60 * 8 * 8
    assert (whole.sharding, whole.ranks, whole.bytes_a_rank) == ("replicated", (0, 1), 240)


def test_what_cannot_be_read_is_no_plan(tmp_path: Path) -> None:
    folder = storage_path(str(tmp_path))
    assert read_plans(folder) == []
    assert write_plans(folder, [{"table": "t"}], 2, {"dense": 3, "embedding": 8}) is None
    assert read_plans(folder) == [{"table": "t"}]
    (tmp_path / "tables.json").write_text("{")
    assert read_plans(folder) == []
    why = write_plans(storage_path(str(tmp_path / "tables.json" / "no")), [], 2, {})
    assert why is not None
    assert why.startswith("tables.json is not written: ")
