"""Checks of a config as a whole, before anything is done with it."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from raymon.config.constraints import unknown_constraint
from raymon.config.direction import cannot_rank, known_direction
from raymon.config.feature_block import feature_blocks
from raymon.config.named_columns import column_fields
from raymon.config.names import has_losses, metric_names
from raymon.config.overrides import EXCLUSIVE
from raymon.config.rules import Rules
from raymon.config.source import Source
from raymon.config.tasks import has_towers
from raymon.config.validate_alerts import validate_alerts
from raymon.config.validate_logging import validate_logging
from raymon.config.validate_model import validate_model
from raymon.config.validate_names import check_given_names
from raymon.config.validate_opentelemetry import validate_opentelemetry
from raymon.config.validate_optimizer import validate_optimizer
from raymon.config.validate_sampler import validate_sampler
from raymon.config.validate_trackers import validate_trackers
from raymon.config.validate_unused import validate_unused
from raymon.protos.data_pb2 import DatasetType, FgMode, FieldType
from raymon.protos.eval_pb2 import EvalMode
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import EmbeddingTables, OnNonfinite

SUMMARIES = (
    "loss",
    "learning_rate",
    "parameter",
    "global_gradient_norm",
    "gradient_norm",
    "gradient",
)
"""Values that `train_config.tensorboard_summaries` can have."""


def validate(config: PipelineConfig, source: Source, datasets: Collection[str]) -> None:
    """Checks everything but the features, which `raymon.data.build_features` checks, and the data.

    A setting without effect is a warning.

    Args:
        config: The config.
        source: Source of the config.
        datasets: Names of the datasets, "train" and "eval", that are given in place of files.

    Raises:
        ConfigError: Something is wrong; the message names the first error, in the form
            `PLACE: FIELD: what is wrong; what would be right`.
    """
    rules = Rules(source, config, "")
    needed = ["model_dir"] if "train" in datasets else ["train_input_path", "model_dir"]
    for name in needed:
        rules.require(bool(getattr(config, name)), name, "is missing; give a path")
    check_given_names(config, source)
    is_evaluated = bool(config.eval_input_path) or "eval" in datasets
    _validate_train(config, rules.inner("train_config"))
    _validate_tables(config, rules.inner("train_config"))
    _validate_data(config, rules.inner("data_config"))
    validate_sampler(config, rules.inner("data_config"))
    _validate_expressions(config, rules)
    evaluation = rules.inner("eval_config")
    evaluation.positive("num_steps", "log_step_count_steps")
    _validate_eval_mode(config, is_evaluated, evaluation)
    validate_model(config, source)
    _validate_early_stopping(config, is_evaluated, rules.inner("train_config"))
    _validate_export(config, is_evaluated, rules.inner("export_config"))
    _validate_ray(config, rules.inner("ray_config"))
    monitoring = rules.inner("monitor_config")
    monitoring.positive("late_after_s", "hang_after_s")
    monitoring.at_least(0, "progress_interval_s", "hang_fail_after_s")
    fails = config.monitor_config.on_hang == MonitorConfig.FAIL
    useless = monitoring.has("hang_fail_after_s") and not fails
    monitoring.warn(useless, "hang_fail_after_s", "on_hang is not FAIL")
    validate_logging(monitoring)
    validate_alerts(config.monitor_config, monitoring)
    validate_trackers(config, monitoring)
    if config.monitor_config.HasField("opentelemetry"):
        validate_opentelemetry(monitoring.inner("opentelemetry"))


def _validate_train(config: PipelineConfig, rules: Rules) -> None:
    train = config.train_config
    for pair in EXCLUSIVE:
        one, other = (path.rpartition(".")[2] for path in pair)
        # A field that is 0 means none, so it does not exclude the other.
        both = train.HasField(one) and train.HasField(other)
        both = both and getattr(train, one) > 0 and getattr(train, other) > 0
        rules.require(not both, other, f"is given beside {one}; give one of them")
    neither = not train.HasField("num_steps") and not train.HasField("num_epochs")
    rules.require(not neither, "", "has neither num_steps nor num_epochs; give one of them")
    rules.positive(
        "num_steps",
        "num_epochs",
        "log_step_count_steps",
        "gradient_accumulation_steps",
    )
    for index, summary in enumerate(train.tensorboard_summaries):
        rules.known(summary, f"tensorboard_summaries[{index}]", SUMMARIES, "summary")
    useless = bool(train.tensorboard_summaries) and not train.use_tensorboard
    rules.warn(useless, "tensorboard_summaries", "use_tensorboard is false")
    rules.one_of("mixed_precision", ("BF16", "FP16"))
    finds = train.find_nonfinite and train.on_nonfinite == OnNonfinite.WARN
    rules.require(
        not finds,
        "find_nonfinite",
        "needs on_nonfinite: STOP or SKIP_STEP, which notice it in time",
    )
    scaler = rules.inner("grad_scaler")
    scaler.positive("init_scale", "growth_interval", "backoff_factor")
    scaler.within("init_scale", 0, float(np.finfo(np.float32).max))
    scaler.at_least(1, "growth_factor")
    scaler.within("backoff_factor", 0, 1)
    useless = train.HasField("grad_scaler") and train.mixed_precision != "FP16"
    rules.warn(useless, "grad_scaler", 'mixed_precision is not "FP16"')
    clipping = rules.inner("grad_clipping")
    clipping.one_of("clipping_type", ("none", "norm", "value"))
    clipping.positive("max_gradient", "norm_type")
    useless = train.HasField("grad_clipping") and train.grad_clipping.clipping_type == "none"
    rules.warn(useless, "grad_clipping", 'clipping_type is "none"')
    useless = train.grad_clipping.HasField("enable_global_grad_clip")
    clipping.warn(
        useless,
        "enable_global_grad_clip",
        "dense parameters are the same on every worker, so the norm is that of all of them",
    )
    useless = train.grad_clipping.HasField("norm_type")
    useless &= train.grad_clipping.clipping_type == "value"
    clipping.warn(useless, "norm_type", 'clipping_type is "value"')
    for name in ("fine_tune_ckpt_param_map", "ignore_restore_optimizer"):
        useless = train.HasField(name) and not train.fine_tune_checkpoint
        rules.warn(useless, name, "there is no fine_tune_checkpoint")
    rules.require(
        train.HasField("dense_optimizer"),
        "",
        "has no dense_optimizer; give one, as in dense_optimizer { adam_optimizer { lr: 0.001 } }",
    )
    validate_optimizer(train.dense_optimizer, rules.inner("dense_optimizer"))
    if train.HasField("sparse_optimizer"):
        validate_optimizer(train.sparse_optimizer, rules.inner("sparse_optimizer"))


def _validate_tables(config: PipelineConfig, rules: Rules) -> None:
    train = config.train_config
    constraints = rules.inner("global_embedding_constraints")
    unknown = unknown_constraint(train.global_embedding_constraints)
    if unknown is not None:
        constraints.require(False, *unknown)
    is_replicated = train.embedding_tables == EmbeddingTables.REPLICATED
    why = "train_config.embedding_tables is REPLICATED: every worker holds all tables"
    useless = is_replicated and train.HasField("global_embedding_constraints")
    rules.warn(useless, "global_embedding_constraints", why)
    for block in feature_blocks(config.feature_configs):
        table, own = block.config, Rules(rules.source, block.config, block.place)
        useless = is_replicated and table.HasField("embedding_constraints")
        own.warn(useless, "embedding_constraints", why)
        if getattr(table, "dynamicemb", None) is not None:
            useless = table.dynamicemb.HasField("init_capacity_per_rank")
            all_there = "all rows of a table are there from the start"
            own.inner("dynamicemb").warn(useless, "init_capacity_per_rank", all_there)
        if "dense_emb" in table.DESCRIPTOR.oneofs_by_name and table.boundaries:
            dense, buckets = table.WhichOneof("dense_emb"), "the buckets of boundaries are embedded"
            own.warn(dense is not None, dense or "", buckets)
        if block.kind == "raw_feature":
            has = table.boundaries or table.WhichOneof("dense_emb") is not None
            useless = table.HasField("embedding_dim") and not has
            own.warn(useless, "embedding_dim", "there are no boundaries, nor autodis or mlp")
        if block.kind == "custom_feature":
            has_library = table.HasField("operator_lib_file")
            own.warn(has_library, "operator_lib_file", "operators are raymon's own")
        in_place = table.data_type not in ("FP16", "BF16") or not table.trainable
        own.require(
            in_place or train.HasField("sparse_optimizer"),
            "data_type",
            f"is {table.data_type}, and dense_optimizer would train it, whose states would be "
            f"{table.data_type} too; give train_config.sparse_optimizer, which keeps them in FP32",
        )


def _validate_expressions(config: PipelineConfig, rules: Rules) -> None:
    data = config.data_config
    if data.fg_mode not in (FgMode.FG_NORMAL, FgMode.FG_DAG):
        return
    for block in feature_blocks(config.feature_configs):
        for field in column_fields(block.kind):
            rules.require(
                bool(getattr(block.config, field)),
                f"{block.place}.{field}",
                "is missing; it must be given, unless data_config.fg_mode is FG_NONE or "
                "FG_BUCKETIZE",
            )


def _validate_data(config: PipelineConfig, rules: Rules) -> None:
    data = config.data_config
    rules.positive(
        "batch_size", "eval_batch_size", "global_batch_size", "num_streams", "shuffle_buffer_size"
    )
    batch = data.global_batch_size or data.batch_size
    rules.require(
        data.min_batch_size <= batch,
        "min_batch_size",
        f"is {data.min_batch_size}; must be at most the {batch} rows of a batch",
    )
    is_csv = data.dataset_type == DatasetType.CsvDataset
    rules.require(
        not is_csv or data.with_header or bool(data.input_fields),
        "input_fields",
        "is empty; name the columns of the CSV files in their order, or set with_header",
    )
    rules.require(
        not is_csv or len(data.delimiter.encode()) == 1,
        "delimiter",
        'must be one character; a tab is written "\\t"',
    )
    for index, column in enumerate(data.input_fields):
        repeated = column.input_name in [c.input_name for c in data.input_fields[:index]]
        rules.require(
            not repeated, f"input_fields[{index}]", f'"{column.input_name}" is listed twice'
        )
    for name in ("delimiter", "with_header"):
        rules.warn(data.HasField(name) and not is_csv, name, "it is of CSV files")
    rules.warn(bool(data.input_fields) and not is_csv, "input_fields", "it is of CSV files")
    validate_unused(config, rules)
    for index, column in enumerate(data.input_fields):
        kind = FieldType.Name(column.input_type)
        rules.require(
            not is_csv or not column.HasField("input_type") or "_" not in kind,
            f"input_fields[{index}].input_type",
            f"is {kind}, which no CSV file holds; leave it out, and give strings with a separator",
        )
    rules.require(
        bool(data.fg_encoded_multival_sep),
        "fg_encoded_multival_sep",
        'is empty; give what is between values, such as ","',
    )
    for text, number in data.label_map.items():
        rules.require(bool(text), "label_map", "an empty value is a missing one, which is no label")
        rules.require(math.isfinite(number), "label_map", f'"{text}" is {number}; must be finite')
    workers = max(1, config.ray_config.num_workers)
    rules.require(
        not data.global_batch_size or data.global_batch_size >= workers,
        "global_batch_size",
        f"is {data.global_batch_size}; {workers} workers need a row each",
    )
    rules.warn(
        data.HasField("global_batch_size") and data.HasField("batch_size"),
        "batch_size",
        "global_batch_size says how many rows a step of all workers has",
    )
    rules.warn(
        data.HasField("num_streams") and not data.HasField("global_batch_size"),
        "num_streams",
        "there is no global_batch_size",
    )
    rules.require(
        bool(data.label_fields), "", "has no label_fields; name the columns of the labels"
    )
    for index, label in enumerate(data.label_fields):
        repeated = label in data.label_fields[:index]
        rules.require(not repeated, f"label_fields[{index}]", f'"{label}" is listed twice')
    count, labels = len(data.sample_weight_fields), len(data.label_fields)
    rules.require(
        count in (0, 1, labels) or has_towers(config.model_config),
        "sample_weight_fields",
        f"has {count} columns for {labels} labels; give one for all labels, or one for each",
    )
    useless = data.HasField("shuffle_buffer_size") and not data.shuffle
    rules.warn(useless, "shuffle_buffer_size", "shuffle is false")


def _validate_early_stopping(config: PipelineConfig, is_evaluated: bool, rules: Rules) -> None:
    if not config.train_config.HasField("early_stopping"):
        return
    rules.require(is_evaluated, "early_stopping", "and nothing is evaluated; give eval_input_path")
    inner = rules.inner("early_stopping")
    inner.positive("patience")
    inner.at_least(0, "min_delta")
    # A custom model without losses in the config has metrics that are not known here.
    if has_losses(config):
        names = metric_names(config)
        metric = config.train_config.early_stopping.metric
        inner.require(
            metric in names,
            "metric",
            f'is "{metric}", which no evaluation yields; there are {", ".join(names)}',
        )
    _validate_direction(config, inner, "metric", "larger_is_better")


def _validate_direction(config: PipelineConfig, rules: Rules, name: str, larger: str) -> None:
    """Checks that `larger`, the field with a direction, fits the metric in the field `name`."""
    metric, written = rules.value(name), rules.has(larger)
    rules.require(
        not cannot_rank(config, metric),
        name,
        f'is "{metric}", and 1 is right for it: neither more nor less is better; give another',
    )
    known = known_direction(config, metric)
    better = "larger" if known else "smaller"
    rules.require(
        not written or known in (None, rules.value(larger)),
        larger,
        f"is {str(bool(rules.value(larger))).lower()}, and of {metric} the {better} is the better; "
        "leave it out",
    )


def _validate_eval_mode(config: PipelineConfig, is_evaluated: bool, rules: Rules) -> None:
    is_async = config.eval_config.mode == EvalMode.ASYNC
    rules.warn(
        bool(config.eval_config.resources) and not is_async, "resources", "mode is not ASYNC"
    )
    for resource, amount in config.eval_config.resources.items():
        place = f"resources.{resource}"
        rules.require(0 <= amount < float("inf"), place, f"is {amount:g}; must be at least 0")
    if not is_async:
        return
    rules.warn(not is_evaluated, "mode", "there is no eval_input_path")
    useless = config.ray_config.num_workers == 0
    rules.warn(useless, "mode", "without workers there is no Ray that could evaluate beside them")
    rules.require(
        useless or not config.train_config.HasField("early_stopping"),
        "mode",
        "is ASYNC, and early_stopping would end the run at another step each time; leave one out",
    )


def _validate_export(config: PipelineConfig, is_evaluated: bool, rules: Rules) -> None:
    export = config.export_config
    rules.one_of("exporter_type", ("latest", "best"))
    if export.exporter_type != "best":
        for name in ("best_exporter_metric", "metric_larger_is_better"):
            rules.warn(export.HasField(name), name, 'exporter_type is not "best"')
        return
    rules.require(
        is_evaluated,
        "exporter_type",
        'is "best", and nothing is evaluated; give eval_input_path',
    )
    # A custom model without losses in the config has metrics that are not known here.
    if has_losses(config):
        names = metric_names(config)
        metric = export.best_exporter_metric
        rules.require(
            metric in names,
            "best_exporter_metric",
            f'is "{metric}", which no evaluation yields; there are {", ".join(names)}',
        )
    _validate_direction(config, rules, "best_exporter_metric", "metric_larger_is_better")


def _validate_ray(config: PipelineConfig, rules: Rules) -> None:
    strategies = ("PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD")
    rules.one_of("placement_strategy", strategies)
    rules.at_least(-1, "max_failures")
    rules.at_least(0, "wait_for_nodes_s")
    _validate_elastic(config, rules)
    for resource, amount in config.ray_config.resources_per_worker.items():
        place = f"resources_per_worker.{resource}"
        rules.require(amount > 0, place, f"is {amount:g}; must be above 0")


def _validate_elastic(config: PipelineConfig, rules: Rules) -> None:
    ray = config.ray_config
    rules.at_least(0, "elastic_resize_monitor_interval_s")
    useless = ray.HasField("elastic_resize_monitor_interval_s") and not ray.HasField("min_workers")
    rules.warn(useless, "elastic_resize_monitor_interval_s", "there is no min_workers")
    if not ray.HasField("min_workers"):
        return
    rules.require(
        1 <= ray.min_workers <= ray.num_workers,
        "min_workers",
        f"is {ray.min_workers}; must be from 1 to num_workers, which is {ray.num_workers}",
    )
    rules.require(
        config.data_config.HasField("global_batch_size"),
        "min_workers",
        "needs data_config.global_batch_size, so that a step has the same rows on any number of "
        "workers",
    )
