"""Whole runs whose tables have 16 bits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import raymon
from raymon.errors import ConfigError
from raymon.serving import predict
from raymon.storage import storage_path
from raymon.training.export import export_run
from raymon.training.loop.loop import Loop
from tests.checkpoints import saved_model

BASE = [
    "ray_config.num_workers=0", "train_config.num_epochs=", "train_config.num_steps=6",
    "train_config.save_checkpoints_steps=3", "train_config.log_step_count_steps=2",
    "eval_config.num_steps=2",
]  # fmt: skip
HALF = [
    "feature_configs[0].id_feature.data_type=FP16",
    "feature_configs[1].id_feature.data_type=BF16",
    "feature_configs[2].id_feature.data_type=FP16",
]
TYPES = {"user": torch.float16, "item": torch.bfloat16, "interests": torch.float16}


def train(config: Path, name: str, *overrides: str, resume: bool = False) -> Path:
    run = config.parent / name
    raymon.train(config, [*BASE, *overrides, f"model_dir={run}"], resume=resume)
    return run


def types_of(run: Path, step: int) -> dict[str, torch.dtype]:
    found = saved_model(run / f"model.ckpt-{step}")
    return {f: found[f"embeddings.tables.t_{f}.weight"].dtype for f in TYPES}


def test_a_run_goes_on_bit_for_bit(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(config_file, "a", *HALF)
    assert types_of(whole, 6) == TYPES
    original = Loop._step

    def failing(self: Loop, *arguments: object) -> None:
        if self._state.step == 4:
            raise RuntimeError("power cut")
        original(self, *arguments)

    monkeypatch.setattr(Loop, "_step", failing)
    with pytest.raises(raymon.TrainingError, match="power cut"):
        train(config_file, "b", *HALF)
    monkeypatch.undo()
    resumed = train(config_file, "b", *HALF, resume=True)
    expected, found = (saved_model(run / "model.ckpt-6") for run in (whole, resumed))
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("precision", ["FP16", "BF16"])
@pytest.mark.parametrize("quantize", ["", "INT8"])
def test_it_is_exported_and_predicts(
    config_file: Path, click_log: Path, precision: str, quantize: str
) -> None:
    summaries = "train_config.tensorboard_summaries=['gradient', 'global_gradient_norm']"
    more = [summaries, f"train_config.mixed_precision={precision}"]
    run = train(config_file, "a", *HALF, *more)
    quantized = [f"export_config.quantize_tables={quantize}"] if quantize else []
    export_run(storage_path(str(run)), storage_path(str(run / "export")), overrides=quantized)
    scores = predict(run / "export", f"{click_log}/eval", config_file.parent / "scores.parquet")
    assert scores == 4000


def test_tables_of_another_run_are_taken_in_the_type_of_this_one(config_file: Path) -> None:
    first = train(config_file, "a", "train_config.num_steps=3")
    of_first = saved_model(first / "model.ckpt-3")
    rates = ["train_config.dense_optimizer={adam_optimizer {lr: 0}}"]
    rates += ["train_config.sparse_optimizer={adam_optimizer {lr: 0}}"]
    second = train(config_file, "b", *HALF, *rates, f"train_config.fine_tune_checkpoint={first}")
    for name, value in saved_model(second / "model.ckpt-6").items():
        assert torch.equal(value, of_first[name].to(value.dtype)), name
    assert types_of(second, 6) == TYPES


def test_a_run_may_go_on_in_another_type(config_file: Path) -> None:
    first = train(config_file, "a", "train_config.num_steps=3")
    again = train(config_file, "a", *HALF, resume=True)
    assert first == again
    assert types_of(again, 3) == dict.fromkeys(TYPES, torch.float32)
    assert types_of(again, 6) == TYPES


def test_without_an_optimizer_of_tables_16_bits_are_refused(config_file: Path) -> None:
    expected = r"feature_configs\[0\]\.id_feature\.data_type: is FP16, and dense_optimizer would"
    with pytest.raises(ConfigError, match=expected):
        train(config_file, "a", *HALF, "train_config.sparse_optimizer=")
    frozen = [f"feature_configs[{n}].id_feature.trainable=false" for n in range(3)]
    run = train(config_file, "b", *HALF, *frozen, "train_config.sparse_optimizer=")
    assert types_of(run, 6) == TYPES
