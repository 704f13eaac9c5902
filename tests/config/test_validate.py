from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from raymon.config import column_fields, load, metric_names
from raymon.config.tasks import trained_labels, trained_weights
from raymon.errors import ConfigError
from raymon.protos.feature_pb2 import FeatureConfig
from tests.config.texts import TEXT, line_of, write

TRAIN, MODEL = "train_config", "model_config"
SOFTMAX = f"{MODEL}.losses[0]=softmax_cross_entropy {{}}"
FINAL = "final { hidden_units: 8 }"
WIDE = 'feature_groups { group_name: "wide" feature_names: "user" group_type: WIDE }'
LR = f"{TRAIN}.dense_optimizer"

WRONG: list[tuple[list[str], str]] = [
    ([f"{TRAIN}.num_steps="], "has neither num_steps nor num_epochs; give one of them"),
    ([f"{TRAIN}.num_steps=0"], "num_steps: is 0; must be at least 1"),
    ([f"{TRAIN}.num_steps=1", f"{TRAIN}.num_epochs=1"], "is given beside num_steps"),
    (
        [f"{TRAIN}.save_checkpoints_steps=1", f"{TRAIN}.save_checkpoints_epochs=1"],
        "is given beside save_checkpoints_steps",
    ),
    ([f"{TRAIN}.num_steps=0", f"{TRAIN}.num_epochs=1"], "num_steps: is 0; must be at least 1"),
    ([f"{TRAIN}.tensorboard_summaries=los"], 'unknown summary "los"; did you mean "loss"?'),
    (
        [f"{TRAIN}.global_embedding_constraints.sharding_types=['row_wise', 'rowwise']"],
        'sharding_types[1]: unknown sharding type "rowwise"; did you mean "row_wise"?',
    ),
    (
        [f"{TRAIN}.global_embedding_constraints.compute_kernels=['fused', 'fused']"],
        'compute_kernels[1]: "fused" is listed twice',
    ),
    ([f"{TRAIN}.embedding_tables=SHARD"], 'did you mean "SHARDED"?'),
    ([f"{TRAIN}.mixed_precision=FP8"], 'is "FP8"; must be one of BF16, FP16'),
    ([f"{TRAIN}.grad_clipping.clipping_type=max"], 'is "max"; must be one of none, norm, value'),
    ([f"{TRAIN}.grad_clipping.max_gradient=0"], "is 0.0; must be above 0"),
    ([f"{TRAIN}.grad_scaler.backoff_factor=1"], "is 1; must be in [0, 1)"),
    ([f"{LR}="], "has no dense_optimizer"),
    ([f"{LR}={{}}"], "has no optimizer; give one of sgd_optimizer"),
    ([f"{LR}.adam_optimizer.lr=-1"], "is -1.0; must be above 0"),
    ([f"{LR}.adam_optimizer.lr=nan"], "lr: is nan; must be above 0"),
    ([f"{LR}.adam_optimizer.beta1=1"], "is 1; must be in [0, 1)"),
    ([f"{LR}.rmsprop_optimizer.alpha=1"], "alpha: is 1; must be in [0, 1)"),
    ([f"{LR}.adadelta_optimizer.rho=-1"], "rho: is -1; must be in [0, 1)"),
    ([f"{LR}.sgd_optimizer={{nesterov: true momentum: 0}}"], "nesterov: needs a momentum above 0"),
    ([f"{LR}.sgd_optimizer={{nesterov: true dampening: 1}}"], "and no dampening"),
    ([f"{LR}.part_optimizers+=regex_pattern: 'a('"], "regex_pattern: is no regular expression"),
    ([f"{LR}.part_optimizers+=regex_pattern: 'a'"], "part_optimizers[0]: has no optimizer; give"),
    ([f"{TRAIN}.sparse_optimizer={{}}"], "sparse_optimizer: has no optimizer; give one of sgd_opt"),
    (
        [f"{TRAIN}.sparse_optimizer.adam_optimizer.max_gradient=0"],
        "max_gradient: is 0.0; must be above 0",
    ),
    ([f"{LR}.manual_step_learning_rate={{}}"], "has no schedule_sizes"),
    (
        [f"{LR}.manual_step_learning_rate={{schedule_sizes: 3}}"],
        "has 0 entries for 1 schedule_sizes",
    ),
    (
        [f"{LR}.manual_step_learning_rate={{schedule_sizes: [3, 3] learning_rates: [1, 1]}}"],
        "must be above 0 and rising",
    ),
    ([f"{LR}.cosine_annealing_learning_rate.T_max=0"], "T_max: is 0; must be at least 1"),
    (["data_config.batch_size=0"], "batch_size: is 0; must be at least 1"),
    (["data_config.label_fields="], "has no label_fields"),
    (["data_config.label_fields=[]"], "has no label_fields"),
    (['data_config.label_fields=["y", "y"]'], '"y" is listed twice'),
    (
        ['data_config.sample_weight_fields=["a", "b", "c"]'],
        "has 3 columns for 1 labels; give one for all labels, or one for each",
    ),
    ([f"{MODEL}.losses="], 'label "y" has no loss'),
    ([f"{MODEL}.losses+={{}}"], "losses[1]: is empty; give one of binary_cross_entropy"),
    ([f"{MODEL}.losses[0].label_name=x"], 'unknown label "x"; there are y'),
    ([f"{MODEL}.losses+=l2_loss {{}}"], "label y has binary_cross_entropy already"),
    ([f"{MODEL}.losses+=binary_cross_entropy {{}}"], "binary_cross_entropy is given twice"),
    ([f"{MODEL}.losses[0].binary_cross_entropy.label_smoothing=1"], "is 1; must be in [0, 1)"),
    ([SOFTMAX], "needs num_class to be 2 or more"),
    ([f"{MODEL}.metrics+=auc {{}}"], "metrics[1]: auc is given twice"),
    ([f"{MODEL}.metrics+=multiclass_auc {{}}"], "is of a label with softmax_cross_entropy, and y"),
    ([f"{MODEL}.train_metrics+=recall_at_k {{}}"], "is of a label with softmax_cross_entropy"),
    ([f"{MODEL}.metrics[0].auc.thresholds=1"], "is 1; must be in [2, 100000]"),
    (
        [SOFTMAX, f"{MODEL}.num_class=3", f"{MODEL}.metrics=recall_at_k {{}}"],
        "top_k: is 5; must be in [1, 3]",
    ),
    ([f"{MODEL}.train_metrics=auc {{}} decay_step: 0"], "decay_step: is 0"),
    ([f"{MODEL}.train_metrics=auc {{}} decay_rate: 1"], "decay_rate: is 1; must be in [0, 1)"),
    ([f"{MODEL}.feature_groups[0].feature_names=agee"], 'unknown feature "agee"; did you mean "a'),
    ([f"{MODEL}.feature_groups[0].group_name=dens"], 'unknown group "dens"; did you mean "dense"'),
    ([f"{MODEL}.feature_groups[0].group_type=WIDE"], 'must be DEEP for group "dense"'),
    ([f"{MODEL}.feature_groups[1]="], 'feature_groups: have no group "sparse"'),
    ([f"{MODEL}.feature_groups[1].group_name=dense"], '"dense" is given twice'),
    ([f"{MODEL}.feature_groups[0].feature_names+=age"], "feature_names[1]: is listed twice"),
    ([f"{MODEL}.dlrm="], "has no model; give one of dlrm, deepfm, custom"),
    ([f"{MODEL}.dlrm.final.hidden_units="], "has no hidden_units"),
    ([f"{MODEL}.dlrm.final.activation=nn.Linear"], '"nn.Linear" is no activation of torch'),
    ([f"{MODEL}.dlrm.final.activation=nn.GLU"], '"nn.GLU" is no activation of torch'),
    ([f"{MODEL}.dlrm.final.activation=nn.Softmax"], '"nn.Softmax" is no activation of torch'),
    (
        [f"{MODEL}.dlrm.final.activation=nn.RReLU", f"{TRAIN}.mixed_precision=FP16"],
        '"nn.RReLU" takes no FP16 on the CPU; give another, or train in BF16',
    ),
    ([f"{MODEL}.dlrm.final.dropout_ratio=[0.1, 0.1]"], "has 2 entries for 1 layers"),
    (["export_config.exporter_type=last"], 'is "last"; must be one of latest, best'),
    (
        ["export_config={exporter_type: 'best' best_exporter_metric: 'acu'}"],
        'is "acu", which no evaluation yields; there are auc, binary_cross_entropy, total_loss',
    ),
    (["export_config.exporter_type=best", "eval_input_path="], "nothing is evaluated"),
    (
        ["eval_config.mode=ASYNC", "train_config.early_stopping={}", "ray_config.num_workers=1"],
        "eval_config.mode: is ASYNC, and early_stopping would end the run at another step each",
    ),
    (["eval_config.mode=ASYNC", "eval_config.resources.CPU=-1"], "CPU: is -1; must be at least 0"),
    (["eval_config.mode=LATER"], "LATER"),
    (["train_config.dense_optimizer.ema.decay=1"], "decay: is 1; must be in [0, 1)"),
    (["ray_config.placement_strategy=ANY"], "must be one of PACK, SPREAD"),
    (["ray_config.max_failures=-2"], "is -2; must be a number of at least -1"),
    (["ray_config.min_workers=3"], "is 3; must be from 1 to num_workers, which is 1"),
    (["ray_config={num_workers: 2 min_workers: 0}"], "is 0; must be from 1 to num_workers"),
    (
        ["ray_config={num_workers: 2 min_workers: 1}"],
        "ray_config.min_workers: needs data_config.global_batch_size, so that a step has the same",
    ),
    (["ray_config.resources_per_worker.CPU=0"], "CPU: is 0; must be above 0"),
    (["monitor_config.log_level=LOUD"], "must be one of DEBUG"),
    (["monitor_config.log_files={format: 'xml'}"], 'log_files.format: is "xml"; must be one of'),
    (["monitor_config.log_files={keep: 0}"], "monitor_config.log_files.keep"),
    (["monitor_config.log_files={directory: 's3://b/x'}"], "must be a directory on a disk"),
    (["monitor_config.windows_max_mb=0"], "monitor_config.windows_max_mb"),
]


@pytest.mark.parametrize(("overrides", "message"), WRONG, ids=lambda value: str(value)[-60:])
def test_what_cannot_be_is_refused(tmp_path: Path, overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path), overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_error_of_a_field_in_the_file_has_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT.replace("num_steps: 10", 'num_steps: 10 mixed_precision: "FP8"'))
    with pytest.raises(ConfigError) as caught:
        load(path)
    place = f"{path}:{line_of('num_steps')}: train_config.mixed_precision: "
    assert str(caught.value) == place + 'is "FP8"; must be one of BF16, FP16'


@pytest.mark.parametrize("given", ["hidden_units=[0, 8]", "hidden_units=0"])
def test_what_an_override_replaces_is_not_in_the_file_any_more(tmp_path: Path, given: str) -> None:
    override = f"{MODEL}.dlrm.final.{given}"
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path), [override])
    place = f"{MODEL}.dlrm.final.hidden_units[0]"
    assert str(caught.value) == f"--set {override}: {place}: is 0; must be at least 1"


def test_the_error_of_an_overridden_field_has_the_override(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--set train_config\.num_steps=0: train_config\.num_"):
        load(write(tmp_path), ["train_config.num_steps=0"])


@pytest.mark.parametrize(
    ("override", "field"),
    [
        ("train_config.grad_scaler={}", "train_config.grad_scaler"),
        ("train_config.grad_clipping={}", "train_config.grad_clipping"),
        (
            "train_config.grad_clipping={clipping_type: 'norm' enable_global_grad_clip: true}",
            "train_config.grad_clipping.enable_global_grad_clip",
        ),
        (
            "train_config.grad_clipping={clipping_type: 'value' norm_type: 1}",
            "train_config.grad_clipping.norm_type",
        ),
        (
            "train_config.dense_optimizer.constant_learning_rate.by_epoch=true",
            "train_config.dense_optimizer.constant_learning_rate.by_epoch",
        ),
        (
            "train_config.sparse_optimizer.sgd_optimizer.max_gradient=2",
            "train_config.sparse_optimizer.sgd_optimizer.max_gradient",
        ),
        (
            "train_config.sparse_optimizer.rowwise_adagrad_optimizer.weight_decay=0.1",
            "train_config.sparse_optimizer.rowwise_adagrad_optimizer.weight_decay",
        ),
        ("export_config.metric_larger_is_better=false", "export_config.metric_larger_is_better"),
        ("data_config.shuffle_buffer_size=3", "data_config.shuffle_buffer_size"),
        ("model_config.num_class=3", "model_config.num_class"),
        ("eval_config.resources.CPU=1", "eval_config.resources"),
        (
            "ray_config.elastic_resize_monitor_interval_s=5",
            "ray_config.elastic_resize_monitor_interval_s",
        ),
        ("model_config.feature_groups[0]=", "model_config.dlrm.dense_mlp"),
        (
            "feature_configs[1]={raw_feature {feature_name: 'age' expression: 'user:a' mlp {} "
            "boundaries: [1] embedding_dim: 4}}",
            "feature_configs[1].raw_feature.mlp",
        ),
    ],
)
def test_a_setting_without_effect_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, override: str, field: str
) -> None:
    with caplog.at_level(logging.WARNING, logger="raymon"):
        load(write(tmp_path), [override])
    assert any(f"{field}: has no effect" in message for message in caplog.messages)


def test_a_right_config_gives_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="raymon"):
        load(write(tmp_path))
    assert not caplog.messages


def test_with_several_labels_names_carry_the_label(tmp_path: Path) -> None:
    overrides = [
        'data_config.label_fields=["y", "z"]',
        "model_config.losses[0].label_name=y",
        "model_config.losses+=binary_cross_entropy {} label_name: 'z'",
        "model_config.metrics+=mean_absolute_error {} label_name: 'z'",
    ]
    assert metric_names(load(write(tmp_path), overrides)) == [
        "auc_y",
        "auc_z",
        "mean_absolute_error_z",
        "binary_cross_entropy_y",
        "binary_cross_entropy_z",
        "total_loss",
    ]


def test_a_loss_may_rank_checkpoints(tmp_path: Path) -> None:
    best = "export_config={exporter_type: 'best' best_exporter_metric: 'total_loss'}"
    assert load(write(tmp_path), [best]).export_config.best_exporter_metric == "total_loss"


TWO_LABELS = 'data_config.label_fields=["y", "z"]'


def test_of_several_labels_a_model_with_one_task_learns_the_first_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = 'data_config.sample_weight_fields=["v", "w"]'
    with caplog.at_level(logging.WARNING, logger="raymon"):
        config = load(write(tmp_path), [TWO_LABELS, weights])
    assert trained_labels(config) == ["y"]
    assert trained_weights(config) == ["v"]
    assert metric_names(config) == ["auc", "binary_cross_entropy", "total_loss"]
    (message,) = caplog.messages
    assert message.endswith(
        'data_config.label_fields[1]: has no effect: dlrm learns "y" alone; losses with a '
        "label_name make it learn others"
    )


def test_losses_may_name_any_of_the_labels(tmp_path: Path) -> None:
    weights = 'data_config.sample_weight_fields=["v", "w"]'
    config = load(write(tmp_path), [TWO_LABELS, weights, f"{MODEL}.losses[0].label_name=z"])
    assert (trained_labels(config), trained_weights(config)) == (["z"], ["w"])
    assert metric_names(config) == ["auc", "binary_cross_entropy", "total_loss"]


def test_every_kind_of_feature_can_be_in_a_group(tmp_path: Path) -> None:
    kinds = FeatureConfig.DESCRIPTOR.oneofs_by_name["feature"].fields
    assert len(kinds) > 2
    for kind in kinds:
        if "feature_name" not in kind.message_type.fields_by_name:
            continue
        has_table = "embedding_dim" in kind.message_type.fields_by_name
        feature = f'{kind.name} {{ feature_name: "new" '
        feature += " ".join(f'{field}: "user:n"' for field in column_fields(kind.name))
        for field in kind.message_type.fields:
            named = field.name in ("feature_name", *column_fields(kind.name))
            if field.is_required and not named and field.cpp_type == field.CPPTYPE_STRING:
                feature += f' {field.name}: "x:X"'
        feature += f"{' embedding_dim: 4' * has_table} }} }}"
        text = TEXT.replace("model_config {", f"feature_configs {{ {feature}\nmodel_config {{")
        text = text.replace('feature_names: "user"', 'feature_names: ["user", "new"]')
        load(write(tmp_path, text))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([TWO_LABELS, f"{MODEL}.metrics[0].label_name=z"], "z is not trained; give it a loss with"),
        ([f"{MODEL}.dlrm.dense_mlp="], 'dlrm: has no dense_mlp for group "dense"; give one'),
        (
            [f"{MODEL}.feature_groups[0]=", f"{MODEL}.dlrm={{arch_with_sparse: false {FINAL}}}"],
            'arch_with_sparse: is false, and one feature of group "sparse" alone',
        ),
    ],
)
def test_what_a_model_cannot_be_made_of_is_refused(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(write(tmp_path), overrides)


def test_dlrm_needs_no_bottom_mlp_without_numbers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="raymon"):
        load(write(tmp_path), [f"{MODEL}.feature_groups[0]=", f"{MODEL}.dlrm={{ {FINAL} }}"])
    assert all("dense_mlp" not in message for message in caplog.messages)


def test_what_has_no_effect_on_classes_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deepfm = TEXT.replace('"dense" feature', '"deep" feature')
    deepfm = deepfm.replace("dlrm {", f"{WIDE} deepfm {{").replace("dense_mlp", "deep")
    deepfm = deepfm.replace('"sparse" feature', '"fm" feature').replace("binary_", "softmax_")
    deepfm = deepfm.replace("auc {}", "accuracy {}").replace("losses", "num_class: 3 losses", 1)
    with caplog.at_level(logging.WARNING, logger="raymon"):
        load(write(tmp_path, deepfm))
        assert not caplog.messages
        load(write(tmp_path, deepfm.replace("final { hidden_units: 8 }", "")))
    assert len([m for m in caplog.messages if "as deepfm has no final" in m]) == 2
