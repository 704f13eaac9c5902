"""What is written of a checkpoint is a copy on the CPU, in memory that is used again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor, nn

from raymon.data import Growth, Position
from raymon.embeddings import GrowingIds, IdCounts, Shard, TableShards
from raymon.models import Model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.recorder import Unacknowledged
from raymon.training.checkpoint import tensor_files, writer
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.checkpoint.saver import Saver
from raymon.training.checkpoint.staging import Staging
from raymon.training.checkpoint.train_state import (
    TrainState,
    growing_ids,
    rank_state,
    stored_tensors,
    trainer_state,
)
from raymon.training.input.feed import RunPosition
from raymon.training.optim.optimizers import Optimizers
from raymon.training.optim.row_optimizer import RowOptimizer
from raymon.training.optim.table_gradients import TableGradients
from tests.checkpoints import saved_model
from tests.training.rank_process import read_config, run_rank

CONFIG = """
train_input_path: "{folder}/train.parquet"
model_dir: "{folder}/run"
train_config {{
  sparse_optimizer {{ adagrad_optimizer {{ lr: 0.1 }} constant_learning_rate {{}} }}
  dense_optimizer {{
    adam_optimizer {{ lr: 0.01 }} constant_learning_rate {{}} ema {{ decay: 0.9 }}
  }}
  num_steps: 9 save_checkpoints_steps: 3 mixed_precision: "FP16" embedding_tables: {engine}
  grad_scaler {{ init_scale: 8 growth_interval: 2 }}
}}
data_config {{ fg_mode: FG_DAG batch_size: 16 label_fields: "click" num_workers: 0 }}
feature_configs {{ id_feature {{
  feature_name: "user" expression: "user:user" embedding_dim: 4
  zch {{ zch_size: 12 lfu {{}} eviction_interval: 4 }}
}} }}
feature_configs {{ id_feature {{
  feature_name: "item" expression: "item:item" embedding_dim: 4 num_buckets: 50
}} }}
feature_configs {{ raw_feature {{ feature_name: "price" expression: "item:price" }} }}
model_config {{
  feature_groups {{ group_name: "dense" group_type: DEEP feature_names: "price" }}
  feature_groups {{ group_name: "sparse" group_type: DEEP feature_names: ["user", "item"] }}
  dlrm {{ dense_mlp {{ hidden_units: [4] }} final {{ hidden_units: [8] }} }}
  losses {{ binary_cross_entropy {{}} }}
}}
"""


def unexpected(text: str) -> None:
    raise AssertionError(text)


@pytest.fixture
def staging() -> Staging:
    return Staging(torch.device("cpu"), unexpected)


def place(tensor: Tensor) -> tuple[int, int]:
    """The addresses of a tensor's memory, from the first to behind the last."""
    storage = tensor.untyped_storage()
    return storage.data_ptr(), storage.data_ptr() + storage.nbytes()


def tensors_in(content: Any) -> Iterator[Tensor]:
    """Every tensor anywhere in a value, whatever holds it."""
    if isinstance(content, Tensor):
        yield content
    elif isinstance(content, Mapping):
        for each in content.values():
            yield from tensors_in(each)
    elif isinstance(content, list | tuple):
        for each in content:
            yield from tensors_in(each)
    elif hasattr(content, "__dict__"):
        yield from tensors_in(vars(content))


def content() -> dict[str, Any]:
    numbers = torch.arange(24.0)
    return {
        "transposed": numbers.view(4, 6).T,
        "part": numbers[3:7],
        "expanded": torch.ones(1).expand(5),
        "scalar": torch.tensor(7, dtype=torch.int32),
        "none": torch.empty(0, 3),
        "halves": [torch.tensor([1.5, -2.0]).bfloat16(), (torch.tensor([True, False]), "text", 3)],
        "table": TableShards(
            torch.Size((9, 2)), torch.float32,
            (Shard(3, 0, torch.randn(4, 2)), Shard(8, 0, torch.randn(1, 2))),
        ),
    }  # fmt: skip


def test_copies_are_equal_and_share_no_memory(staging: Staging) -> None:
    given = content()
    found = staging.copy(given).wait()
    assert found.keys() == given.keys()
    pairs = list(zip(tensors_in(found), tensors_in(given), strict=True))
    assert len(pairs) == 9
    for copy, tensor in pairs:
        assert (copy.dtype, copy.shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(copy, tensor)
        # Nothing but the tensor is written of it.
        assert copy.untyped_storage().nbytes() == copy.nbytes
        assert not copy.numel() or place(copy)[0] not in range(*place(tensor))
    assert found["halves"][1][1:] == ("text", 3)
    assert isinstance(found["halves"][1], tuple)
    table = found["table"]
    assert (table.shape, [(s.row, s.column) for s in table.shards]) == ((9, 2), [(3, 0), (8, 0)])


def test_the_memory_of_one_save_is_that_of_the_next(staging: Staging) -> None:
    given = content()
    staging.reserve(given)
    kept = staging.nbytes
    places = []
    for _ in range(3):
        copies = staging.copy(given)
        places.append([place(tensor) for tensor in tensors_in(copies.wait())])
        copies.release()
        given["part"] += 1
    assert places[0] == places[1] == places[2]
    assert staging.nbytes == kept


def test_memory_that_is_still_written_from_is_not_copied_into(staging: Staging) -> None:
    given = {"a": torch.zeros(4)}
    copies = staging.copy(given)
    given["a"] += 1
    with pytest.raises(RuntimeError, match="still being written"):
        staging.copy(given)
    assert copies.wait()["a"].tolist() == [0] * 4
    copies.release()
    assert staging.copy(given).wait()["a"].tolist() == [1] * 4


def test_a_copy_that_fails_holds_no_memory_up(staging: Staging) -> None:
    with pytest.raises(NotImplementedError):
        staging.copy({"a": torch.zeros(4, device="meta")})
    assert staging.copy({"a": torch.ones(2)}).wait()["a"].tolist() == [1, 1]


def test_nothing_is_asked_of_the_device_before_the_copies_are_made() -> None:
    """Tensors on "meta" have no numbers that could be asked for."""
    meta = torch.device("meta")
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)).to(meta)
    model.append(ids := GrowingIds("t", 8, Growth(4, "lfu")).to(meta))
    ids._pending = [IdCounts.of_step(torch.arange(5, device=meta), 3)] * 2
    ids.set_waiting(IdCounts.of_step(torch.arange(2, device=meta), 3))
    optimizer = torch.optim.Adam(model.parameters())
    for parameter in model.parameters():
        states = (torch.zeros((), device=meta), torch.zeros_like(parameter), torch.zeros(()))
        optimizer.state[parameter] = dict(
            zip(("step", "exp_avg", "exp_avg_sq"), states, strict=True)
        )
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(torch.zeros((), device=meta))
    state = TrainState(
        cast(Model, model),
        Optimizers([optimizer], [], TableGradients([]), None),
        scaler,
        "clicks",
        RunPosition(Position(0, 0, 1)),
    )
    given = [stored_tensors(state), trainer_state(state), rank_state(state, meta)]
    found = [tensor for tensor in tensors_in(given) if tensor.is_meta]
    # Of each of four parameters a step and a moment; columns of accesses, twice three, and three of
    # those that wait; scale and growth of the scaler.
    assert len(found) == len(state.model.state_dict()) + 2 * 4 + 2 * 3 + 3 + 2


def trained_tensors(state: TrainState) -> list[Tensor]:
    """All that training changes."""
    found = [*state.model.parameters(), *state.model.buffers()]
    for optimizer in state.optimizers.optimizers:
        found += list(tensors_in(list(optimizer.state.values())))
        if isinstance(optimizer, RowOptimizer) and optimizer.sharded is not None:
            found += list(tensors_in([optimizer.sharded.tables, optimizer.sharded.states]))
    assert state.averages is not None
    found += [*state.averages.tensors.values()]
    found += list(tensors_in([state.scaler._scale, state.scaler._growth_tracker]))
    for ids in growing_ids(state.model).values():
        found += list(tensors_in([ids.pending_parts(), ids.waiting()]))
    return [tensor for tensor in found if tensor.numel()]


@pytest.mark.parametrize("engine", ["REPLICATED", "SHARDED"])
def test_the_writer_gets_nothing_that_training_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    rng = np.random.default_rng(0)
    columns = {"user": rng.integers(40, size=160), "item": rng.integers(50, size=160)}
    columns |= {"price": rng.random(160), "click": rng.integers(2, size=160)}
    pq.write_table(pa.table(columns), tmp_path / "train.parquet")
    path = tmp_path / "my.config"
    path.write_text(CONFIG.format(folder=tmp_path, engine=engine))
    config: PipelineConfig = read_config(path)

    trained: list[list[Tensor]] = []
    expected: list[dict[str, Tensor]] = []
    written: list[Tensor] = []
    of_saves: list[list[tuple[int, int]]] = []
    save, write_tensors, write_part = Saver.save, tensor_files.write_tensors, writer.write_part

    def watched_save(self: Saver, state: TrainState, unacknowledged: Unacknowledged) -> None:
        self.wait()
        trained.append(trained_tensors(state))
        expected.append({n: p.detach().clone() for n, p in state.model.state_dict().items()})
        save(self, state, unacknowledged)
        assert not self._staging._free.is_set()

    def watched_tensors(path: Path, tensors: Any, *more: Any) -> None:
        written.extend(tensors_in(tensors))
        of_saves.append([place(tensor) for tensor in tensors_in(tensors)])
        write_tensors(path, tensors, *more)

    def watched_part(path: Path, name: str, part: Mapping[str, Any]) -> None:
        written.extend(tensors_in(part))
        assert part["scaler"]["scale"] > 8 if "scaler" in part else True
        write_part(path, name, part)

    monkeypatch.setattr(Saver, "save", watched_save)
    monkeypatch.setattr(tensor_files, "write_tensors", watched_tensors)
    monkeypatch.setattr(writer, "write_part", watched_part)
    run_rank(config, 0, 1)

    checkpoints = list_checkpoints(tmp_path / "run")
    assert len(checkpoints) == len(trained) == 3
    for checkpoint, values in zip(checkpoints, expected, strict=True):
        saved = saved_model(Path(str(checkpoint.path)))
        assert all(torch.equal(saved[name], value) for name, value in values.items())
    of_training = [place(tensor) for tensors in trained for tensor in tensors]
    assert len(of_training) > 60
    for tensor in written:
        assert tensor.device.type == "cpu"
        begin, end = place(tensor)
        assert begin == end or all(end <= b or e <= begin for b, e in of_training)
    # The tables and their states are where they were in the saves before.
    assert of_saves[0] == of_saves[1] == of_saves[2]
