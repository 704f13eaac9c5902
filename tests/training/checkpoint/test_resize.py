"""A restore may change the size of a table that grows; ids keep their embeddings and states."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import raymon
from raymon.config import load
from raymon.data import Position
from raymon.errors import RunError
from raymon.models import build_model
from raymon.training.checkpoint.fine_tune import checkpoint_of, fine_tune
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.checkpoint.restore import load_model, restore
from raymon.training.checkpoint.train_state import TrainState
from raymon.training.input.feed import RunPosition
from raymon.training.input.readers import features_of
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.prepare import plan_fine_tuning
from raymon.training.rank.worker_context import WorkerContext
from tests.checkpoints import saved_tensors
from tests.training.rank_process import RankRun

SIZE = 40
GROWING, TABLE = "embeddings.growing.t_user", "embeddings.tables.t_user.weight"


def growing(size: int, policy: str = "distance_lfu {}") -> str:
    zch = f"zch {{ zch_size: {size} {policy} }}"
    return (
        "feature_configs[0]={id_feature {feature_name: 'user' expression: 'user:user_id' "
        f"embedding_dim: 8 {zch} }}}}"
    )


@pytest.fixture(scope="module")
def learned(click_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 20 steps whose table is full."""
    from tests.conftest import CONFIG

    folder = tmp_path_factory.mktemp("growing")
    config = folder / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=folder / "run"))
    steps = ["ray_config.num_workers=0", "train_config.num_steps=20"]
    raymon.train(config, [*steps, growing(SIZE)])
    return folder / "run"


def new_state(config_file: Path, data: str, *overrides: str) -> TrainState:
    config = load(config_file, overrides)
    torch.manual_seed(1)
    model = build_model(config, features_of(config))
    return TrainState(
        model,
        build_optimizers(config.train_config, model),
        torch.amp.GradScaler(enabled=False),
        data,
        RunPosition(Position(0, 0)),
    )


def by_id(tensors: dict[str, torch.Tensor], ids: torch.Tensor) -> dict[int, list[float]]:
    """Returns everything of each id: its embedding, its states, its accesses."""
    every = torch.cat([part.double().reshape(len(ids), -1) for part in tensors.values()], 1)
    return {int(i): row.tolist() for i, row in zip(ids, every, strict=True) if i >= 0}


def of_run(learned: Path) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    saved = saved_tensors(learned / "model.ckpt-20")
    names = [f"model.{TABLE}", f"model.{GROWING}.counts", f"model.{GROWING}.last"]
    states = [name for name in saved if name.startswith(f"optimizer.1.{TABLE}")]
    assert len(states) == 2
    return {name: saved[name] for name in (*names, *states)}, saved[f"model.{GROWING}.ids"]


def of_state(state: TrainState) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    model = state.model.state_dict()
    names = [TABLE, f"{GROWING}.counts", f"{GROWING}.last"]
    weight = state.model.get_parameter(TABLE)
    states = [each.state[weight] for each in state.optimizers.optimizers if weight in each.state]
    found = {name: part for one in states for name, part in one.items() if part.dim()}
    return {**{name: model[name] for name in names}, **found}, model[f"{GROWING}.ids"]


def restored(config_file: Path, learned: Path, *overrides: str) -> TrainState:
    (checkpoint,) = [c for c in list_checkpoints(learned) if c.step == 20]
    from raymon.training.checkpoint.manifest import TRAINER, read_part

    data = read_part(checkpoint.path, TRAINER, torch.device("cpu"))["data"]
    state = new_state(config_file, data, *overrides)
    restore(state, checkpoint, WorkerContext(0, 1, torch.device("cpu"), RankRun()))
    return state


@pytest.mark.parametrize("size", [2, 13, SIZE - 1, SIZE, SIZE + 1, 300])
def test_ids_keep_their_embeddings_and_states_by_score(
    config_file: Path, learned: Path, size: int
) -> None:
    tensors, ids = of_run(learned)
    before = by_id(tensors, ids)
    state = restored(config_file, learned, growing(size))
    found, now = of_state(state)
    after = by_id(found, now)
    assert len(now) == size
    counts, last = tensors[f"model.{GROWING}.counts"], tensors[f"model.{GROWING}.last"]
    score = {
        int(i): int(c) / (20 - int(when) + 1)
        for i, c, when in zip(ids, counts, last, strict=True)
        if i >= 0
    }
    best = sorted(before, key=lambda i: (-score[i], i))[: size - 1]
    assert after == {i: before[i] for i in best}
    # The row of ids without one is the last one here and there.
    for (name, one), other in zip(tensors.items(), found.values(), strict=True):
        assert torch.equal(one[-1], other[-1]), name
    fresh = new_state(config_file, "", growing(size)).model.get_parameter(TABLE)
    free = torch.arange(len(best), size - 1)
    assert torch.equal(state.model.get_parameter(TABLE)[free], fresh[free])
    assert all(not part[free].any() for name, part in found.items() if name != TABLE)
    assert state.step == 20


def test_a_model_alone_is_loaded_with_another_size_too(config_file: Path, learned: Path) -> None:
    (checkpoint,) = [c for c in list_checkpoints(learned) if c.step == 20]
    model = new_state(config_file, "", growing(13)).model
    load_model(model, checkpoint)
    expected = restored(config_file, learned, growing(13)).model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())


def test_a_table_with_another_dim_is_refused(config_file: Path, learned: Path) -> None:
    other = growing(13).replace("embedding_dim: 8", "embedding_dim: 4")
    others = [f"feature_configs[{number}].id_feature.embedding_dim=4" for number in (1, 2)]
    with pytest.raises(RunError, match=r"does not fit the model of this config: .*tables.* is \["):
        restored(config_file, learned, other, *others)


def tuned(config_file: Path, learned: Path, *overrides: str) -> TrainState:
    state = new_state(config_file, "", *overrides)
    config = load(config_file, [f"train_config.fine_tune_checkpoint={learned}", *overrides])
    fine_tune(state, checkpoint_of(str(learned)), config.train_config)
    return state


@pytest.mark.parametrize("size", [13, SIZE, 300])
def test_a_new_run_begins_with_the_ids_of_another(
    config_file: Path, learned: Path, size: int
) -> None:
    found, ids = of_state(tuned(config_file, learned, growing(size)))
    expected, of_ids = of_state(restored(config_file, learned, growing(size)))
    assert torch.equal(ids, of_ids)
    assert all(torch.equal(found[name], part) for name, part in expected.items())


def test_rows_that_ids_find_in_another_way_are_not_taken(config_file: Path, learned: Path) -> None:
    hashed = f"hash_bucket_size: {SIZE}"
    plain = growing(SIZE).replace(f"zch {{ zch_size: {SIZE} distance_lfu {{}} }}", hashed)
    state = tuned(config_file, learned, plain)
    fresh = new_state(config_file, "", plain)
    assert torch.equal(state.model.get_parameter(TABLE), fresh.model.get_parameter(TABLE))
    config = load(config_file, [f"train_config.fine_tune_checkpoint={learned}", plain])
    lines = list(map(str, plan_fine_tuning(config, features_of(config))))
    assert f"other ids    {TABLE}" in lines
