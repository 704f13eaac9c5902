from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import raymon
from raymon.cli.summary import print_summary
from raymon.protos.train_pb2 import EarlyStoppingConfig
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.optim.early_stopping import EarlyStopping

NAN = math.nan


@pytest.mark.parametrize(
    ("config", "scores", "stops"),
    [
        ({"patience": 2}, [0.5, 0.6, 0.6, 0.59], 4),
        ({"patience": 2}, [0.5, 0.4, 0.6, 0.5, 0.5], 5),
        ({"patience": 1}, [0.5, 0.5], 2),
        ({"patience": 2}, [0.5, NAN, 0.5], 3),
        ({"patience": 2}, [NAN, NAN], 2),
        ({"patience": 2}, [NAN, 0.5, 0.6, 0.7], None),
        ({"patience": 2, "min_delta": 0.1}, [0.5, 0.59, 0.6], 3),
        ({"patience": 2, "min_delta": 0.1}, [0.5, 0.59, 0.61, 0.62], None),
        ({"patience": 2, "larger_is_better": False}, [0.5, 0.4, 0.41, 0.42], 4),
        ({"patience": 2, "metric": "loss"}, [0.5, 0.6], 2),
    ],
)
def test_it_stops_after_so_many_evaluations_without_an_improvement(
    config: dict[str, Any], scores: list[float], stops: int | None
) -> None:
    stopping = EarlyStopping(EarlyStoppingConfig(**config))
    found = None
    for number, score in enumerate(scores, 1):
        # Restored from its state each time, as in a resumed run.
        again = EarlyStopping(EarlyStoppingConfig(**config))
        again.load_state_dict(stopping.state_dict())
        stopping = again
        stopping.observe(100 * number, {"auc": score})
        if stopping.reason is not None and found is None:
            found = number
    assert found == stops


def test_an_evaluation_whose_rows_give_the_metric_no_value_does_not_count() -> None:
    stopping = EarlyStopping(EarlyStoppingConfig(metric="auc", patience=2))
    stopping.observe(100, {"auc": 0.5})
    for step in range(200, 1000, 100):
        stopping.observe(step, {"auc": NAN}, {"auc"})
    assert (stopping.best_step, stopping.without, stopping.reason) == (100, 0, None)
    stopping.observe(1000, {"auc": 0.5}, {"log_loss"})
    stopping.observe(1100, {"auc": 0.5})
    assert stopping.reason is not None


def test_what_was_best_by_another_metric_is_forgotten() -> None:
    by_loss = EarlyStopping(EarlyStoppingConfig(metric="loss", larger_is_better=False))
    by_loss.observe(100, {"loss": 5.0})
    by_auc = EarlyStopping(EarlyStoppingConfig(metric="auc", patience=1))
    by_auc.load_state_dict(by_loss.state_dict())
    by_auc.observe(200, {"auc": 0.7})
    assert (by_auc.best, by_auc.best_step, by_auc.reason) == (0.7, 200, None)


def run(config_file: Path, *overrides: str, **options: bool) -> Any:
    # With such rates the score gets worse from the first evaluation on.
    chosen = [
        "ray_config.num_workers=0",
        "train_config.save_checkpoints_steps=5",
        "train_config.early_stopping.metric=total_loss",
        "train_config.early_stopping.larger_is_better=false",
        "train_config.early_stopping.min_delta=100",
        *overrides,
    ]
    return raymon.train(config_file, chosen, **options)


def test_a_run_ends_early_and_says_why(config_file: Path, capsys: Any) -> None:
    summary = run(config_file, "train_config.early_stopping.patience=3")
    # The first evaluation is the best by far, three more are not.
    assert (summary.status, summary.steps) == ("done", 20)
    first = next(iter(list_checkpoints(Path(summary.model_dir)))).metrics["total_loss"]
    why = f"total_loss did not improve by more than 100 on {first:.5f} of step 5 in 3 evaluations"
    assert summary.stopped_early == why
    print_summary(summary)
    assert f"stopped early    {why}" in capsys.readouterr().out
    # The run has ended, also if it is resumed; with more patience it continues.
    again = run(config_file, "train_config.early_stopping.patience=3", resume=True)
    assert (again.steps, again.stopped_early) == (20, why)
    more = run(config_file, "train_config.early_stopping.patience=5", resume=True)
    assert more.steps == 30


def test_a_run_that_is_killed_stops_where_it_would_have(config_file: Path) -> None:
    run(config_file, "train_config.num_steps=10", "train_config.early_stopping.patience=3")
    summary = run(config_file, "train_config.early_stopping.patience=3", resume=True)
    assert summary.steps == 20
    assert summary.stopped_early is not None


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train_config.early_stopping.metric=acu", 'is "acu", which no evaluation yields'),
        ("train_config.early_stopping.patience=0", "patience: is 0; must be at least 1"),
        ("eval_input_path=", "early_stopping"),
    ],
)
def test_what_cannot_stop_a_run_is_told(config_file: Path, override: str, message: str) -> None:
    with pytest.raises(raymon.ConfigError) as error:
        run(config_file, override)
    assert message in str(error.value)
