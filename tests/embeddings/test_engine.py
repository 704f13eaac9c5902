"""Which engine holds tables is what the config asks for, or one line says why it cannot be."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from raymon.data import EmbeddingSpec
from raymon.embeddings import (
    EmbeddingCollection,
    EmbeddingTable,
    ShardedTable,
    check_kernels,
    sharded_tables,
    shards_tables,
)
from raymon.errors import ConfigError
from raymon.protos.train_pb2 import TrainConfig

DECAYED = (
    "rowwise_adagrad_optimizer { lr: 0.1 weight_decay: 0.1 weight_decay_mode: L2 }",
    "rowwise_adagrad_optimizer { lr: 0.1 weight_decay: 0.1 weight_decay_mode: DECOUPLE }",
)


def config(optimizer: str, engine: str) -> TrainConfig:
    text = f"sparse_optimizer {{ {optimizer} }} embedding_tables: {engine}"
    return text_format.Parse(text if optimizer else f"embedding_tables: {engine}", TrainConfig())


@pytest.mark.parametrize(
    ("optimizer", "why"),
    [
        ("adam_optimizer {}", "have no adam_optimizer on the CPU"),
        ("", "there is no sparse_optimizer"),
        *((text, "have no weight_decay on the CPU") for text in DECAYED),
    ],
)
def test_what_sharded_tables_lack_is_said_or_left_to_whole_tables(optimizer: str, why: str) -> None:
    assert not shards_tables(config(optimizer, "AUTO"), 2, "cpu")
    with pytest.raises(ConfigError, match=why):
        shards_tables(config(optimizer, "SHARDED"), 2, "cpu")
    assert not shards_tables(config(optimizer, "REPLICATED"), 2, "cpu")


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize(
    "kind",
    ["lamb_optimizer", "partial_rowwise_lamb_optimizer", "lars_sgd_optimizer", "ftrl_optimizer"],
)
def test_what_only_whole_tables_have_is_said_on_each_device(kind: str, device: str) -> None:
    assert not shards_tables(config(f"{kind} {{}}", "AUTO"), 2, device)
    with pytest.raises(ConfigError, match=f"sharded tables have no {kind}; use sgd_optimizer, "):
        shards_tables(config(f"{kind} {{}}", "SHARDED"), 2, device)


def test_a_decay_without_a_mode_is_none_in_both_engines() -> None:
    text = "rowwise_adagrad_optimizer { lr: 0.1 weight_decay: 0.1 }"
    assert shards_tables(config(text, "SHARDED"), 2, "cpu")
    assert shards_tables(config(text, "AUTO"), 2, "cpu")
    assert not shards_tables(config(text, "AUTO"), 1, "cpu")


def test_bf16_is_sharded_where_there_are_kernels_for_it() -> None:
    spec = {"f": EmbeddingSpec("t", 10, 4, data_type="BF16")}
    with sharded_tables():
        assert isinstance(EmbeddingCollection(spec).table_of("f"), EmbeddingTable)
    with sharded_tables(device_type="cuda"):
        assert isinstance(EmbeddingCollection(spec).table_of("f"), ShardedTable)


def test_a_kernel_that_is_not_here_is_one_line() -> None:
    asked = EmbeddingSpec("t", 10, 4, compute_kernels=("dense", "key_value"))
    with pytest.raises(ConfigError, match="compute_kernels of the table t: dense, key_value"):
        check_kernels([asked], "cpu")
    check_kernels([EmbeddingSpec("t", 10, 4, compute_kernels=("fused_uvm",))], "cuda")
    check_kernels([EmbeddingSpec("t", 10, 4)], "cpu")
