from __future__ import annotations

from pathlib import Path

import pytest
import torch

import raymon
from raymon.config import load
from raymon.data import Position
from raymon.models import build_model
from raymon.training.checkpoint.fine_tune import checkpoint_of, fine_tune
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.checkpoint.train_state import TrainState
from raymon.training.input.feed import RunPosition
from raymon.training.input.readers import features_of
from raymon.training.optim.optimizers import build_optimizers
from tests.checkpoints import saved_model, saved_tensors

DEEP = "deep_mlp.layers.0.weight"


@pytest.fixture(scope="module")
def learned(click_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 20 steps."""
    from tests.conftest import CONFIG

    folder = tmp_path_factory.mktemp("learned")
    config = folder / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=folder / "run"))
    raymon.train(config, {"ray_config.num_workers": 0, "train_config.num_steps": 20})
    return folder / "run"


def tuned(config_file: Path, learned: Path, *overrides: str) -> TrainState:
    """A new state, with what it takes from the other run."""
    config = load(config_file, [f"train_config.fine_tune_checkpoint={learned}", *overrides])
    torch.manual_seed(1)
    model = build_model(config, features_of(config))
    state = TrainState(
        model,
        build_optimizers(config.train_config, model),
        torch.amp.GradScaler(enabled=False),
        "clicks",
        RunPosition(Position(0, 0)),
    )
    checkpoint = checkpoint_of(config.train_config.fine_tune_checkpoint)
    fine_tune(state, checkpoint, config.train_config)
    return state


def moments(state: TrainState) -> dict[str, torch.Tensor]:
    names = {id(p): name for name, p in state.model.named_parameters()}
    return {
        f"optimizer.{number}.{names[id(parameter)]}/exp_avg": parts["exp_avg"]
        for number, optimizer in enumerate(state.optimizers.optimizers)
        for parameter, parts in optimizer.state.items()
    }


def test_a_run_begins_with_weights_and_optimizers_of_another(
    config_file: Path, learned: Path
) -> None:
    state = tuned(config_file, learned)
    saved = saved_tensors(learned / "model.ckpt-20")
    for name, value in state.model.state_dict().items():
        assert torch.equal(value, saved[f"model.{name}"]), name
    found = moments(state)
    assert len(found) == len(dict(state.model.named_parameters()))
    for name, value in found.items():
        assert torch.equal(value, saved[name]), name
    steps = {int(p["step"]) for o in state.optimizers.optimizers for p in o.state.values()}
    assert (state.step, state.position.shared.row, steps) == (0, 0, {20})
    # Rates are those of the config, not of the other run.
    rates = [g["lr"] for o in state.optimizers.optimizers for g in o.param_groups]
    assert rates == [0.002, 0.005]


@pytest.mark.parametrize(
    "override",
    [
        "train_config.ignore_restore_optimizer=true",
        "train_config.dense_optimizer=sgd_optimizer { lr: 0.1 } constant_learning_rate {}",
    ],
)
def test_optimizers_begin_anew_where_they_are_to_or_are_others(
    config_file: Path, learned: Path, override: str
) -> None:
    state = tuned(config_file, learned, override)
    assert all(not optimizer.state for optimizer in state.optimizers.optimizers)
    saved = saved_model(learned / "model.ckpt-20")
    assert torch.equal(state.model.state_dict()[DEEP], saved[DEEP])


def test_what_does_not_fit_stays_new_and_is_listed(
    config_file: Path, learned: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = [
        "model_config.deepfm.deep.hidden_units=[16, 4]",
        "feature_configs[1].id_feature.embedding_name=item_table",
    ]
    state = tuned(config_file, learned, *other)
    saved = saved_model(learned / "model.ckpt-20")
    own = state.model.state_dict()
    assert torch.equal(own[DEEP], saved[DEEP])
    assert own["deep_mlp.layers.2.weight"].shape == (4, 16)
    assert "embeddings.tables.t_item_table.weight" not in saved
    chosen = [
        f"train_config.fine_tune_checkpoint={learned}",
        "ray_config.num_workers=0",
        "train_config.num_steps=1",
        *other,
    ]
    raymon.train(config_file, chosen)
    said = caplog.text
    assert f"Fine-tuning from {learned}: " in said
    assert f"  loaded       {DEEP}" in said
    assert "  other shape  deep_mlp.layers.2.weight: [8, 16] there, [4, 16] here" in said
    assert "  not there    embeddings.tables.t_item_table.weight" in said
    assert "  left over    embeddings.tables.t_item.weight" in said


def test_names_may_be_mapped(config_file: Path, learned: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.tsv"
    new, old = (
        "embeddings.tables.t_item_table.weight",
        "embeddings.tables.t_item.weight",
    )
    names.write_text(f"{new}\t{old}\n\n")
    state = tuned(
        config_file,
        learned,
        "feature_configs[1].id_feature.embedding_name=item_table",
        f"train_config.fine_tune_ckpt_param_map={names}",
    )
    saved = saved_tensors(learned / "model.ckpt-20")
    assert torch.equal(state.model.state_dict()[new], saved[f"model.{old}"])
    assert torch.equal(
        moments(state)[f"optimizer.1.{new}/exp_avg"], saved[f"optimizer.1.{old}/exp_avg"]
    )


def test_a_checkpoint_may_be_named_itself_or_by_a_uri(config_file: Path, learned: Path) -> None:
    for path in (learned / "model.ckpt-20", f"file://{learned}/model.ckpt-20"):
        state = tuned(config_file, Path("x"), f"train_config.fine_tune_checkpoint={path}")
        saved = saved_model(learned / "model.ckpt-20")
        assert torch.equal(state.model.state_dict()[DEEP], saved[DEEP])


def test_a_run_that_goes_on_takes_nothing_again(config_file: Path, learned: Path) -> None:
    chosen = {
        "train_config.fine_tune_checkpoint": str(learned),
        "ray_config.num_workers": 0,
        "train_config.num_steps": 10,
    }
    first = raymon.train(config_file, chosen)
    before = saved_model(list_checkpoints(Path(first.model_dir))[-1].path)
    again = raymon.train(config_file, chosen, resume=True)
    after = saved_model(list_checkpoints(Path(again.model_dir))[-1].path)
    assert first.steps == again.steps == 10
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["train_config.fine_tune_checkpoint={tmp}/none"], "none: no checkpoint"),
        (["train_config.fine_tune_checkpoint={tmp}/model.ckpt-7"], "not a complete"),
        (["train_config.fine_tune_checkpoint=file://{tmp}"], "no checkpoint; the directory"),
        (
            ["train_config.fine_tune_checkpoint=file://{tmp}/model.ckpt-7"],
            "not a complete checkpoint",
        ),
        (["train_config.fine_tune_ckpt_param_map={tmp}/none"], "none: cannot be read"),
        (["train_config.fine_tune_ckpt_param_map={tmp}/map"], "map:1: is not a name in the model"),
        (["train_config.fine_tune_ckpt_param_map={tmp}/names"], "names:2: the model has no x"),
    ],
)
def test_what_cannot_be_taken_is_told(
    config_file: Path, learned: Path, tmp_path: Path, overrides: list[str], message: str
) -> None:
    (tmp_path / "map").write_text("a b\n")
    (tmp_path / "names").write_text(f"{DEEP}\t{DEEP}\nx\t{DEEP}\n")
    chosen = [
        "ray_config.num_workers=0",
        f"train_config.fine_tune_checkpoint={learned}",
        *(override.format(tmp=tmp_path) for override in overrides),
    ]
    with pytest.raises(raymon.RunError) as error:
        raymon.train(config_file, chosen)
    assert message in str(error.value)
    assert not (config_file.parent / "run").exists()


def test_two_parameters_may_come_from_one(config_file: Path, learned: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.tsv"
    one, other = "embeddings.tables.t_item.weight", "embeddings.tables.t_user.weight"
    names.write_text(f"{one}\t{other}\n")
    state = tuned(config_file, learned, f"train_config.fine_tune_ckpt_param_map={names}")
    own = state.model.state_dict()
    assert torch.equal(own[one], own[other])
    found = moments(state)
    first, second = found[f"optimizer.1.{one}/exp_avg"], found[f"optimizer.1.{other}/exp_avg"]
    assert torch.equal(first, second)
    assert first.data_ptr() != second.data_ptr()
