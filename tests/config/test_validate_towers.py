"""What is wrong with a task tower is one line, with the line of the config."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from raymon.config import load, metric_names, pipeline_tasks, trained_labels, trained_weights
from raymon.errors import ConfigError

TEXT = """train_input_path: "in" eval_input_path: "in" model_dir: "out"
train_config { num_steps: 1 dense_optimizer { adam_optimizer { lr: 0.1 } } }
data_config { label_fields: ["y", "z"] sample_weight_fields: ["v", "w"] fg_mode: FG_DAG }
feature_configs { raw_feature { feature_name: "a" expression: "user:a" } }
model_config {
  feature_groups { group_name: "all" group_type: DEEP feature_names: "a" }
  simple_multi_task {
    task_towers { tower_name: "ctr" label_name: "y" sample_weight_name: "w"
      losses { binary_cross_entropy {} } metrics { auc {} } train_metrics { auc {} } }
    task_towers { tower_name: "cvr" label_name: "z" sample_weight_name: "v"
      task_space_indicator_label: "y" out_task_space_weight: 0
      losses { l2_loss {} } metrics { xauc {} }
    }
  }
}
"""
CTR, CVR = (f"model_config.simple_multi_task.task_towers[{i}]" for i in (0, 1))


def loaded(tmp_path: Path, *overrides: str, text: str = TEXT) -> object:
    path = tmp_path / "towers.config"
    path.write_text(text)
    return load(path, overrides)


def test_each_tower_is_a_task_whose_names_end_in_it(tmp_path: Path) -> None:
    path = tmp_path / "towers.config"
    path.write_text(TEXT)
    config = load(path)
    ctr, cvr = pipeline_tasks(config)
    assert (ctr.name, ctr.label, ctr.sample_weight, ctr.indicator) == ("ctr", "y", "w", None)
    assert (cvr.name, cvr.label, cvr.sample_weight, cvr.indicator) == ("cvr", "z", "v", "y")
    assert metric_names(config) == [
        "auc_ctr", "xauc_cvr", "binary_cross_entropy_ctr", "l2_loss_cvr", "total_loss",
    ]  # fmt: skip
    assert (trained_labels(config), trained_weights(config)) == (["y", "z"], ["w", "v"])


@pytest.mark.parametrize(
    ("override", "line", "field", "message"),
    [
        (f"{CTR}.label_name=x", 0, "label_name", 'unknown label "x"'),
        (f"{CTR}.label_name=yy", 0, "label_name", 'did you mean "y"'),
        (f"{CTR}.tower_name=cvr", 10, "tower_name", '"cvr" is given twice'),
        (f"{CTR}.tower_name='a b'", 0, "tower_name", "a name is of letters"),
        (f"{CTR}.sample_weight_name=u", 0, "sample_weight_name", "none of data_config.sample_w"),
        (f"{CVR}.task_space_indicator_label=x", 0, "task_space_indicator_label", "unknown label"),
        (f"{CVR}.in_task_space_weight=0", 11, "out_task_space_weight", "no row would be left"),
        (f"{CTR}.weight=-1", 0, "weight", "at least 0"),
        (f"{CTR}.losses=[]", 8, "", 'tower "ctr" has no loss'),
        (
            f"{CTR}.losses+={{l2_loss {{}}}}",
            0,
            "losses[1]",
            "already, which takes other predictions",
        ),
        (f"{CTR}.losses+={{binary_cross_entropy {{}}}}", 0, "losses[1]", "given twice"),
        (f"{CTR}.losses[0].label_name=y", 0, "losses[0].label_name", "leave it out"),
        (f"{CVR}.metrics+={{auc {{}}}}", 0, "metrics[1]", "auc is of a label with binary_cross"),
        (f"{CTR}.losses=softmax_cross_entropy {{}}", 0, "losses[0]", "num_class to be 2 or more"),
        (f"{CTR}.mlp.hidden_units=[0]", 0, "mlp.hidden_units[0]", "must be at least 1"),
        (f"{CTR}.pareto_min_loss_weight=1", 0, "pareto_min_loss_weight", "must be in [0, 1)"),
        (
            f"{CTR}.losses=jrc_loss {{session_name: 'k'}}",
            0,
            "losses[0]",
            "needs num_class to be 2",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, override: str, line: int, field: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, override)
    told = str(error.value)
    place = f"towers.config:{line}: " if line else f"--set {override}: "
    where = f"{place}model_config.simple_multi_task.task_towers["
    assert where in told, told
    assert message in told, told
    assert field in told.partition(where)[2].partition(": ")[0], told
    assert "\n" not in told


def test_a_model_with_towers_needs_some(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="simple_multi_task: has no task_towers; give one"):
        loaded(tmp_path, "model_config.simple_multi_task={}")


@pytest.mark.parametrize(
    ("override", "place"),
    [
        ("model_config.losses+={l2_loss {}}", "model_config.losses[0]"),
        ("model_config.metrics+={auc {}}", "model_config.metrics[0]"),
        ("model_config.train_metrics+={auc {}}", "model_config.train_metrics[0]"),
        ("model_config.num_class=2", "model_config.num_class"),
        (f"{CTR}.num_class=2", f"{CTR}.num_class"),
        (f"{CTR}.in_task_space_weight=2", f"{CTR}.in_task_space_weight"),
        (f"{CTR}.pareto_min_loss_weight=0.2", f"{CTR}.pareto_min_loss_weight"),
        ("data_config.label_fields+=x", "data_config.label_fields[2]"),
        ("data_config.sample_weight_fields+=x", "data_config.sample_weight_fields[2]"),
        (
            "model_config.feature_groups+={group_name: 'b' group_type: DEEP feature_names: 'a'}",
            "model_config.feature_groups[1]",
        ),
    ],
)
def test_what_has_no_effect_beside_towers_is_told(
    tmp_path: Path, override: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        loaded(tmp_path, override)
    assert [m for m in caplog.messages if f": {place}: has no effect: " in m], caplog.messages


def test_weights_of_each_step_leave_room_and_need_every_gradient(tmp_path: Path) -> None:
    pareto = "model_config.use_pareto_loss_weight=true"
    loaded(tmp_path, pareto, f"{CTR}.pareto_min_loss_weight=0.4")
    both = [f"{tower}.pareto_min_loss_weight=0.5" for tower in (CTR, CVR)]
    with pytest.raises(ConfigError, match="least weights add up to 1; they must stay below 1"):
        loaded(tmp_path, pareto, *both)
    with pytest.raises(ConfigError, match=r"model_config.use_pareto_loss_weight: needs the grad"):
        loaded(tmp_path, pareto, "train_config.compile=true")


def test_two_towers_may_share_a_label_and_the_best_is_ranked_by_one_of_them(tmp_path: Path) -> None:
    best = 'export_config { exporter_type: "best" best_exporter_metric: "auc_ctr" }'
    loaded(tmp_path, f"{CVR}.label_name=y", text=TEXT + best)
    with pytest.raises(ConfigError, match=r"auc\", which no evaluation yields; there are auc_ctr"):
        loaded(tmp_path, text=TEXT + best.replace("auc_ctr", "auc"))
