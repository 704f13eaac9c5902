"""A sweep is checked against its config before anything of it begins."""

from pathlib import Path

import pytest

from raymon.errors import ConfigError
from raymon.tuning.plan import SweepPlan, plan_sweep
from raymon.tuning.space import read_space

DENSE = "train_config.dense_optimizer.adam_optimizer"
ONE = f'num_trials: 2 parameters {{ path: "{DENSE}.lr" uniform {{ low: 0.001 high: 0.1 }} }}\n'


def planned(text: str, config: Path) -> SweepPlan:
    space = config.parent / "my.space"
    space.write_text(text)
    return plan_sweep(read_space(space), config, {"ray_config.num_workers": 0})


def parameter(path: str, values: str) -> str:
    return f'num_trials: 2\nparameters {{\n path: "{path}"\n {values} }}'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            parameter(f"{DENSE}.bata1", "uniform { low: 0 high: 1 }"),
            f'my.space:3: parameters[0].path: {DENSE}.bata1: unknown field "bata1"; did you mean',
        ),
        (
            parameter(f"{DENSE}.beta1", "uniform { low: 0 high: 7 }"),
            f"my.space:4: parameters[0].uniform: {DENSE}.beta1: is 3.5; must be in [0, 1)",
        ),
        (
            parameter("data_config.batch_size", "uniform { low: 10 high: 99.5 }"),
            "data_config.batch_size: is 10.0; must be an integer, 0 or more; give randint",
        ),
        (
            parameter("train_config.mixed_precision", 'choice { values: ["BF16", "FP8"] }'),
            'train_config.mixed_precision: is "FP8"; must be one of BF16, FP16',
        ),
        (parameter("model_dir", 'choice { values: "a" }'), "each trial has a directory of its own"),
        (parameter("ray_config.num_workers", "randint { low: 0 high: 2 }"), "the same place"),
        (ONE + 'metric: "aux"', 'metric: unknown metric of the evaluation "aux"; did you mean'),
        (ONE + 'metric: "auc" metric_source: TRAINING larger_is_better: false', "the larger is"),
        (ONE + 'metric: "lr" metric_source: TRAINING', 'unknown metric of the training "lr"'),
        (ONE + "asha { grace_period: 80 }", "asha.grace_period: is 80; must be below the 80 steps"),
        (ONE + "asha { max_t: 20 }", "asha: can end no trial: the metric is known every 20 steps"),
        (ONE + "pbt { perturbation_interval: 800 }", "nothing would change in the 80 steps"),
        (
            parameter("train_config.num_epochs", "randint { low: 1 high: 2 }") + " asha {}",
            "cannot be varied with asha, which compares by steps",
        ),
        (
            parameter("model_config.deepfm.deep.hidden_units", 'choice { values: ["[4]", "[8]"] }')
            + " pbt {}",
            "makes another model or optimizer",
        ),
        (
            parameter("data_config.batch_size", "randint { low: 8 high: 99 }") + " pbt {}",
            "cannot be varied with pbt: a trial that goes on from a checkpoint",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(text: str, why: str, config_file: Path) -> None:
    with pytest.raises(ConfigError) as told:
        planned(text, config_file)
    assert why in str(told.value)
    assert "\n" not in str(told.value)
    assert not (config_file.parent / "run").exists()


def test_a_trial_has_the_config_with_its_values_and_a_directory_of_its_own(
    config_file: Path,
) -> None:
    plan = planned(ONE + "asha { grace_period: 20 max_t: 60 }", config_file)
    assert (plan.metric, plan.larger_is_better, plan.total_steps) == ("auc", True, 60)
    second = plan.trials[1]
    config = plan.trial_config(second.name, second.values)
    assert config.model_dir == str(config_file.parent / "run" / "trials" / "002")
    assert config.train_config.num_steps == 60
    assert not config.train_config.HasField("num_epochs")
    rate = config.train_config.dense_optimizer.adam_optimizer.lr
    assert rate == pytest.approx(float(second.values[f"{DENSE}.lr"]))


def test_less_of_a_loss_is_better(config_file: Path) -> None:
    plan = planned(ONE + "metric_source: TRAINING", config_file)
    assert (plan.metric, plan.larger_is_better) == ("total_loss", False)
