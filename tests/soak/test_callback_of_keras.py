"""The callback for Keras, in this process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from raymon.errors import UserError
from raymon.metrics import DecayAUC, TrainMetricWrapper
from tests.integrations.lines import evaluations, summary, windows

os.environ.setdefault("KERAS_BACKEND", "torch")

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

ROWS, STEPS = 50, 20


def data() -> tuple[Any, Any]:
    draw = np.random.default_rng(0)
    x = draw.standard_normal((ROWS * STEPS, 8)).astype("float32")
    return x, (draw.random(len(x)) < 1 / (1 + np.exp(-x.sum(1)))).astype("float32")


def model() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(1, "sigmoid")])
    made.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
    return made


def callback(directory: Path | None, **others: Any) -> Any:
    from raymon.integrations.keras import MonitorCallback

    whole = TrainMetricWrapper(DecayAUC(), decay_step=STEPS)
    return MonitorCallback(
        {"auc": whole}, model_dir=directory, log_step_count_steps=STEPS, **others
    )


def watched_losses(of: Any) -> tuple[list[float], list[Any]]:
    """Returns lists that each batch of the model adds its loss and its scores to."""
    losses: list[float] = []
    scores: list[Any] = []
    compute_loss = type(of).compute_loss

    class Keeping(type(of)):
        def compute_loss(
            self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True
        ) -> Any:
            loss = compute_loss(self, x, y, y_pred, sample_weight, training=training)
            if training and self.training and y_pred.device.type == "cpu":
                losses.append(loss.item())
                scores.append((y_pred.detach().numpy(), y.numpy()))
            return loss

    of.__class__ = Keeping
    return losses, scores


def test_its_losses_are_those_of_batches_and_not_means_over_the_epoch(tmp_path: Path) -> None:
    x, y = data()
    made, watched = model(), callback(tmp_path)
    losses, scores = watched_losses(made)
    made.fit(x, y, ROWS, epochs=2, verbose=0, validation_data=(x, y), callbacks=[watched])
    assert watched.failures == 0
    assert "compute_loss" not in vars(made)
    found = windows(tmp_path)
    assert [line["global_step"] for line in found] == [STEPS, 2 * STEPS]
    for i, line in enumerate(found):
        part = slice(i * STEPS, (i + 1) * STEPS)
        assert line["losses"]["loss"] == pytest.approx(sum(losses[part]) / STEPS, rel=1e-5)
        predicted, labels = (np.concatenate(a).ravel() for a in zip(*scores[part], strict=True))
        expected = roc_auc_score(labels, predicted)
        assert line["window_metrics"]["auc"] == pytest.approx(expected, abs=1e-4)
        assert line["samples"] == ROWS * STEPS
        assert line["learning_rates"] == pytest.approx([0.1])
        assert line["epoch"] == i
    assert [line["global_step"] for line in evaluations(tmp_path)] == [STEPS, 2 * STEPS]
    assert {"loss", "accuracy"} <= set(evaluations(tmp_path)[0])
    assert summary(tmp_path)["status"] == "done"
    assert summary(tmp_path)["total_steps"] == 2 * STEPS
    # A model that has made steps goes on behind them.
    made.fit(x, y, ROWS, verbose=0, callbacks=[callback(tmp_path)])
    assert [line["global_step"] for line in windows(tmp_path)][-1] == 3 * STEPS


def test_two_callbacks_of_one_directory_are_refused_before_training(tmp_path: Path) -> None:
    made = model()
    with pytest.raises(UserError, match="two MonitorCallbacks"):
        made.fit(*data(), verbose=0, callbacks=[callback(tmp_path), callback(tmp_path)])
    assert int(made.optimizer.iterations) == 0


def test_what_a_training_left_open_that_broke_gives_way_to_the_next(tmp_path: Path) -> None:
    import keras

    class Breaks(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 4:
                raise RuntimeError("it broke")

    made, watched = model(), callback(tmp_path)
    with pytest.raises(RuntimeError, match="it broke"):
        made.fit(*data(), ROWS, verbose=0, callbacks=[watched, Breaks()])
    made.fit(*data(), ROWS, verbose=0, callbacks=[watched])
    assert windows(tmp_path)[-1]["global_step"] == 5 + STEPS


def test_what_it_cannot_measure_is_counted_and_training_goes_on(tmp_path: Path) -> None:
    made, watched = model(), callback(tmp_path, predictions=lambda outputs: outputs["none"])
    made.fit(*data(), ROWS, verbose=0, callbacks=[watched])
    assert watched.failures >= STEPS
    assert windows(tmp_path)[-1]["global_step"] == STEPS
