"""An exponential moving average of the dense parameters, in whole runs without Ray."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import roc_auc_score

import raymon
from raymon.errors import ConfigError
from raymon.models import Model
from raymon.protos.optimizer_pb2 import EMA
from raymon.serving import predict
from raymon.training.export import export_run
from raymon.training.optim.averages import AveragedWeights
from tests.checkpoints import saved_tensors
from tests.models.pipelines import model_of, pipeline
from tests.training.test_run_in_process import run, weights

AVERAGE = "average."
EVERY_STEP = ("train_config.num_steps=6", "train_config.save_checkpoints_steps=1")


def ema(decay: float) -> str:
    return f"train_config.dense_optimizer.ema.decay={decay}"


def averages(directory: Path, step: int) -> dict[str, torch.Tensor]:
    tensors = saved_tensors(directory / f"model.ckpt-{step}").items()
    return {n.removeprefix(AVERAGE): t for n, t in tensors if n.startswith(AVERAGE)}


def scores(directory: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (directory / "train_eval_result_v2.txt").open()]


def test_the_average_moves_by_its_share_of_every_step(config_file: Path) -> None:
    directory, _ = run(config_file, "a", ema(0.9), *EVERY_STEP)
    before = averages(directory, 1)
    assert before
    assert not any("embedding" in name for name in before)
    for step in range(2, 7):
        now, trained = averages(directory, step), weights(directory, step)
        for name, average in now.items():
            expected = 0.9 * before[name].double() + 0.1 * trained[name].double()
            torch.testing.assert_close(average.double(), expected, rtol=1e-6, atol=1e-7)
        before = now
    assert any(not torch.allclose(now[name], trained[name]) for name in now)


def test_steps_whose_gradients_are_added_up_are_one_step_of_the_average(config_file: Path) -> None:
    directory, _ = run(
        config_file, "a", ema(0.5), "train_config.num_steps=4",
        "train_config.gradient_accumulation_steps=2", "train_config.save_checkpoints_steps=2",
    )  # fmt: skip
    before, now, trained = averages(directory, 2), averages(directory, 4), weights(directory, 4)
    for name, average in now.items():
        torch.testing.assert_close(average, (before[name] + trained[name]) / 2)


def test_an_average_changes_what_is_scored_and_not_what_is_trained(config_file: Path) -> None:
    plain, plain_summary = run(config_file, "a")
    slow, slow_summary = run(config_file, "b", ema(0.99))
    _, none_summary = run(config_file, "c", ema(0))
    for name, weight in weights(plain, 20).items():
        assert torch.equal(weight, weights(slow, 20)[name]), name
    assert slow_summary.train_metrics == plain_summary.train_metrics
    assert slow_summary.eval_metrics != plain_summary.eval_metrics
    # Without any memory the average is the parameter itself.
    assert none_summary.eval_metrics == plain_summary.eval_metrics


def test_a_run_that_goes_on_has_the_averages_of_one_that_never_stopped(config_file: Path) -> None:
    undisturbed, _ = run(config_file, "a", ema(0.95))
    run(config_file, "b", ema(0.95), "train_config.num_steps=10")
    resumed, _ = run(config_file, "b", ema(0.95), resume=True)
    expected = saved_tensors(undisturbed / "model.ckpt-20")
    found = saved_tensors(resumed / "model.ckpt-20")
    assert found.keys() == expected.keys()
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []
    assert scores(resumed) == scores(undisturbed)


def test_the_first_average_is_what_the_first_step_made(config_file: Path) -> None:
    directory, _ = run(config_file, "a", ema(0.5), *EVERY_STEP)
    first = weights(directory, 1)
    for name, average in averages(directory, 1).items():
        assert torch.equal(average, first[name]), name


def set_to(model: Model, value: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


def values(averages: AveragedWeights) -> set[float]:
    return {float(each) for average in averages.tensors.values() for each in average.flatten()}


def test_weights_of_1_that_become_2_and_then_4_average_to_3() -> None:
    model = model_of(pipeline())
    set_to(model, 1.0)
    kept = AveragedWeights(EMA(decay=0.5), model)
    for value, average in ((2.0, 2.0), (4.0, 3.0)):
        set_to(model, value)
        kept.update()
        assert values(kept) == {average}


def test_averages_that_are_wanted_only_now_begin_with_the_next_step(config_file: Path) -> None:
    run(config_file, "a", "train_config.num_steps=10")
    directory, _ = run(
        config_file, "a", ema(0.5), "train_config.num_steps=11", resume=True
    )  # fmt: skip
    trained = weights(directory, 11)
    for name, average in averages(directory, 11).items():
        assert torch.equal(average, trained[name]), name


def test_what_is_scored_is_what_is_evaluated_again_and_exported(
    config_file: Path, click_log: Path, tmp_path: Path
) -> None:
    directory, summary = run(config_file, "a", ema(0.99))
    _, again = raymon.evaluate_run(directory, "latest")
    assert again == summary.eval_metrics
    export_run(directory, tmp_path / "model")
    rows = str(click_log / "eval")
    predict(tmp_path / "model", rows, tmp_path / "scores.parquet", keep=["click"])
    table = pq.read_table(tmp_path / "scores.parquet")
    auc = roc_auc_score(table["click"].to_numpy(), table["probs"].to_numpy())
    assert again["auc"] == pytest.approx(auc, abs=1e-4)


def test_fine_tuning_begins_with_the_averages_and_averages_anew(config_file: Path) -> None:
    first, _ = run(config_file, "a", ema(0.99))
    rates = [f"train_config.{part}_optimizer.adam_optimizer.lr=0" for part in ("dense", "sparse")]
    second, _ = run(
        config_file, "b", ema(0.5), "train_config.num_steps=1", *rates,
        f"train_config.fine_tune_checkpoint={first}",
    )  # fmt: skip
    begun, trained = averages(first, 20), weights(second, 1)
    for name, average in averages(second, 1).items():
        assert torch.equal(average, trained[name]), name
        assert torch.equal(average, begun[name]), name


def test_a_decay_that_never_moves_is_refused(config_file: Path) -> None:
    with pytest.raises(ConfigError, match=r"ema\.decay: is 1; must be in \[0, 1\)"):
        run(config_file, "a", ema(1))
