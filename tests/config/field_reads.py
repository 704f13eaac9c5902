"""A program that finds the fields of a config that the rest of raymon reads.

It runs with protobuf's implementation in Python, whose fields are properties that can be watched:

    PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python field_reads.py FOLDER

It makes small runs without Ray on a click log in FOLDER, and builds what is only built on Ray or
by other configs. A read counts if the code that makes it is raymon's, except for the code that
reads, checks and saves configs. It prints a JSON list of "Message.field".
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from google.protobuf import text_format
from google.protobuf.message import Message

import raymon
from raymon.config.source import Source
from raymon.config.spellings import settle_spellings
from raymon.data import format_of, sampler_spec
from raymon.metrics import build_metric, build_train_metric
from raymon.models import build_model, grouping_keys, session_keys
from raymon.models.losses import row_losses
from raymon.protos import loss_pb2, metric_pb2, train_pb2
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.sinks import opentelemetry_of, trackers_of
from raymon.training.input.readers import features_of, sequences_together
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.optim.pareto import ParetoWeights
from raymon.training.rank.worker_context import WorkerContext
from tests.models.match import mind_model
from tests.models.pipelines import DAT, IN_BATCH, SOFTMAX, batch_of, model_of, pipeline
from tests.models.rank_models import RANK_MODELS
from tests.training.rank_process import RankRun

_PACKAGE = os.path.dirname(raymon.__file__) + os.sep
_CHECKS = {
    f"{_PACKAGE}config{os.sep}{name}"
    for name in (
        "constraints.py", "validate_names.py", "overrides.py", "reading.py", "rules.py",
        "saving.py", "scalars.py", "source.py", "text.py", "unknown_names.py", "validate.py",
        "validate_layers.py", "validate_losses.py", "validate_metrics.py", "validate_model.py",
        "validate_opentelemetry.py", "validate_optimizer.py", "validate_pareto.py",
        "validate_rank_models.py", "validate_retrieval.py", "validate_sampler.py",
        "validate_sequences.py", "validate_towers.py",
        "validate_trackers.py", "validate_unused.py",
    )
}  # fmt: skip
assert all(map(os.path.isfile, _CHECKS)), "what checks a field has moved"

reads: set[str] = set()


def messages(descriptor: Any = PipelineConfig.DESCRIPTOR) -> Iterator[Any]:
    """Yields the descriptors of all of raymon's messages that a config can have, each once."""
    seen: dict[str, Any] = {}
    waiting = [descriptor]
    while waiting:
        one = waiting.pop()
        is_ours = one.full_name.startswith("raymon.")
        if one.full_name not in seen and is_ours and not one.GetOptions().map_entry:
            seen[one.full_name] = one
            waiting += [field.message_type for field in one.fields if field.message_type]
    yield from seen.values()


def _by_raymon(depth: int) -> bool:
    path = sys._getframe(depth).f_code.co_filename
    return path.startswith(_PACKAGE) and path not in _CHECKS


def watch() -> None:
    """Records reads from now on."""
    for descriptor in messages():
        cls: Any = descriptor._concrete_class
        for field in descriptor.fields:
            setattr(cls, field.name, _watched(cls.__dict__[field.name], descriptor, field.name))
        cls.HasField = _watched_has(cls.HasField, descriptor)


def _watched(original: Any, descriptor: Any, name: str) -> property:
    def read(message: Message) -> Any:
        if _by_raymon(2):
            reads.add(f"{descriptor.name}.{name}")
        return original.fget(message)

    return property(read, original.fset)


def _watched_has(original: Callable[..., bool], descriptor: Any) -> Callable[..., bool]:
    def has(message: Message, name: str) -> bool:
        if _by_raymon(2):
            reads.add(f"{descriptor.name}.{name}")
        return original(message, name)

    return has


def make_runs(folder: Path) -> None:
    """Makes small runs without Ray."""
    config = folder / "click.config"
    base = [
        "ray_config.num_workers=0", "train_config.num_epochs=", "train_config.num_steps=2",
        "train_config.save_checkpoints_steps=1", "data_config.batch_size=64",
        "eval_config.num_steps=1", "export_config.export_at_end=true",
    ]  # fmt: skip
    first = [
        "train_config.dense_optimizer.ema.decay=0.5",
        "train_config.grad_clipping={clipping_type: 'norm'}",
        "train_config.tensorboard_summaries=['gradient_norm']",
        "train_config.early_stopping.metric=auc",
        "data_config.global_batch_size=64",
    ]
    raymon.train(config, [*base, *first, f"model_dir={folder / 'a'}"])
    second = [
        "monitor_config.alert_command=['true']", "train_config.mixed_precision=FP16",
        "train_config.gradient_accumulation_steps=2",
        f"train_config.fine_tune_checkpoint={folder / 'a'}", "export_config.exporter_type=latest",
        "train_config.grad_clipping={clipping_type: 'value'}", "train_config.num_steps=",
        "train_config.num_epochs=1", "train_config.save_checkpoints_steps=",
        "train_config.save_checkpoints_epochs=1", "data_config.batch_size=5000",
    ]  # fmt: skip
    raymon.train(config, [*base, *second, f"model_dir={folder / 'b'}"])


def build_all() -> None:
    """Builds what needs blocks that the runs do not have."""
    for kind in ("sparse", "dense"):
        block: Any = getattr(train_pb2.TrainConfig(), f"{kind}_optimizer")
        for oneof in block.DESCRIPTOR.oneofs_by_name["optimizer"].fields:
            clipped = "gradient_clipping: true" if kind == "sparse" else ""
            _optimizers(f"{kind}_optimizer {{ {oneof.name} {{ {clipped} }} }}")
    for text in (
        "exponential_decay_learning_rate { decay_size: 2 warmup_size: 1 }",
        "manual_step_learning_rate { schedule_sizes: 3 learning_rates: 1 }",
        "cosine_annealing_learning_rate { T_max: 2 warmup_size: 1 }",
        "cosine_annealing_warm_restarts_learning_rate { T_0: 2 warmup_size: 1 }",
        "part_optimizers { regex_pattern: 'head.*' adam_optimizer {} }",
    ):
        _optimizers(f"dense_optimizer {{ sgd_optimizer {{}} {text} }}")
    for loss in loss_pb2.LossConfig.DESCRIPTOR.oneofs_by_name["loss"].fields:
        needed = 'session_name: "k"' if loss.name == "jrc_loss" else ""
        one = text_format.Parse(f"{loss.name} {{ {needed} }}", loss_pb2.LossConfig())
        output = torch.zeros((3, 2) if loss.name in ("softmax_cross_entropy", "jrc_loss") else 3)
        row_losses(one, output, torch.zeros(3), torch.zeros(3, dtype=torch.int64))
    _multi_task()
    _metrics()
    _models()
    _sequences()
    _features()
    _retrieval()
    _others()
    _spellings()


_TOWERS = """
  task_towers { tower_name: "a" label_name: "y" sample_weight_name: "w" mlp { hidden_units: 4 }
    num_class: 2 losses { jrc_loss { session_name: "k" } } metrics { auc {} }
    train_metrics { auc {} } }
  task_towers { tower_name: "b" label_name: "z" task_space_indicator_label: "y" weight: 2
    losses { binary_cross_entropy {} } }"""


_RELATED = _TOWERS.replace(
    "weight: 2", 'relation_tower_names: "a" relation_mlp { hidden_units: 4 }'
)


def _multi_task() -> None:
    """Builds every model with task towers, and asks it for its losses."""
    one_group = 'feature_groups { group_name: "all" group_type: DEEP feature_names: ["user"] }'
    for model in (
        f"simple_multi_task {{ {_TOWERS} }}",
        f"mmoe {{ expert_mlp {{ hidden_units: 4 }} gate_mlp {{ hidden_units: 4 }} {_TOWERS} }}",
        f"""ple {{ extraction_networks {{ network_name: "a" expert_num_per_task: 1 share_num: 1
          task_expert_net {{ hidden_units: 4 }} share_expert_net {{ hidden_units: 4 }} }}
          {_TOWERS} }}""",
        f"""dbmtl {{ mask_net {{ n_mask_blocks: 1 mask_block {{ hidden_dim: 4 }} }}
          bottom_mlp {{ hidden_units: 4 }} expert_mlp {{ hidden_units: 4 }} {_RELATED} }}""",
        f"""feature_groups {{ group_name: "uia" group_type: DEEP feature_names: ["user"] }}
          feature_groups {{ group_name: "domain" group_type: DEEP feature_names: ["user"] }}
          pepnet {{ domain_input_name: "tag" task_domain_num: 20 ppnet_hidden_units: 4
          {_TOWERS} }}""",
    ):
        data = 'label_fields: ["y", "z"] sample_weight_fields: "w"'
        config = pipeline(f"{one_group} {model}", losses="", data=data)
        session_keys(config)
        batch = batch_of(4, labels=("y", "z"))
        built = model_of(config)
        built.loss(built(batch), batch)
        built.init_metric()
        ParetoWeights(built, WorkerContext(0, 1, torch.device("cpu"), RankRun()))


def _optimizers(text: str) -> None:
    dense = "" if "dense_optimizer" in text else "dense_optimizer { adam_optimizer {} }"
    config = text_format.Parse(f"{text} {dense}", train_pb2.TrainConfig())
    model = model_of(pipeline())
    optimizers = build_optimizers(config, model)
    batch = batch_of(4)
    for _ in range(3):
        model.loss(model(batch), batch)["binary_cross_entropy"].backward()
        optimizers.step()
        optimizers.learning_rates()


_NEEDED = {
    "custom_metric": "name: 'torchmetrics:MeanMetric' kwargs { key: 'nan_strategy' value: '0.0' }",
    "grouped_auc": "grouping_key: 'k'", "grouped_xauc": "grouping_key: 'k'",
    "ndcg_at_k": "grouping_key: 'k'", "hit_rate_at_k": "grouping_key: 'k'",
    "mrr": "grouping_key: 'k'", "map": "grouping_key: 'k'",
}  # fmt: skip


def _metrics() -> None:
    for cls, build in (
        (metric_pb2.MetricConfig, build_metric),
        (metric_pb2.TrainMetricConfig, build_train_metric),
    ):
        for field in cls.DESCRIPTOR.oneofs_by_name["metric"].fields:
            needed = _NEEDED.get(field.name, "")
            for more in ("", "in_batch: true") if field.name == "xauc" else ("",):
                config: Any = text_format.Parse(f"{field.name} {{ {needed} {more} }}", cls())
                with suppress(raymon.RaymonError):
                    build(config, 2 if field.name == "multiclass_auc" else 1)


def _models() -> None:
    for text in RANK_MODELS.values():
        model_of(pipeline(text))


_PIECES = """sequence_feature { sequence_name: "s" sequence_length: 3
  features { id_feature { feature_name: "i" expression: "user:x" num_buckets: 9
    embedding_dim: 2 } }
  features { raw_feature { feature_name: "r" expression: "user:x" } }
  features { combo_feature { feature_name: "c" expression: ["user:u", "item:x"]
    hash_bucket_size: 9 embedding_dim: 2 sequence_fields: "x" } }
  features { lookup_feature { feature_name: "l" map: "user:m" key: "item:x" } }
  features { custom_feature { feature_name: "e" operator_name: "EditDistance"
    expression: ["user:m", "item:x"] } } }"""
_ALONE = "expression: 'user:x' sequence_length: 3 sequence_delim: '|'"
_MLP = "attn_mlp { hidden_units: 4 }"
_ENCODERS = f"""
  sequence_encoders {{ din_encoder {{ input: "a" max_seq_length: 2 {_MLP} }} }}
  sequence_encoders {{ simple_attention {{ input: "a" max_seq_length: 2 }} }}
  sequence_encoders {{ pooling_encoder {{ input: "a" max_seq_length: 2 }} }}
  sequence_encoders {{ self_attention_encoder {{ input: "a" multihead_attn_dim: 4 num_heads: 2
    max_seq_length: 2 dropout: 0.1 }} }}
  sequence_encoders {{ multi_window_din_encoder {{ input: "a" windows_len: 2 {_MLP} }} }}"""


def _sequences() -> None:
    """Builds the models that read sequences, and every encoder."""
    alone = f"""feature_configs {{ sequence_id_feature {{ feature_name: "si" num_buckets: 9
      embedding_dim: 4 {_ALONE} }} }}
      feature_configs {{ sequence_raw_feature {{ feature_name: "sr" {_ALONE} }} }}"""
    for model in (
        f"""feature_groups {{ group_name: "b" sequence_groups {{ group_name: "a"
          feature_names: ["user", "si"] }} {_ENCODERS} }}
        multi_tower {{ towers {{ input: "b" mlp {{ hidden_units: 4 }} }}
          final {{ hidden_units: 4 }} }}""",
        """feature_groups { group_name: "a" group_type: SEQUENCE feature_names: ["user", "si"] }
        feature_groups { group_name: "b" feature_names: "user" }
        multi_tower_din { towers { input: "b" mlp { hidden_units: 4 } } din_towers { input: "a"
          attn_mlp { hidden_units: 4 } } final { hidden_units: 4 } }""",
    ):
        config = pipeline(model)
        text_format.Merge(alone, config)
        model_of(config)
        sequences_together(config)


_COMBO = 'combo_feature { feature_name: "c" expression: ["user:a", "user:b"] embedding_dim: 2 '
_ID = 'id_feature { feature_name: "i" expression: "user:a" embedding_dim: 2 '
_LOOKUP = 'lookup_feature { feature_name: "l" map: "user:m" key: "user:k" '
_CUSTOM = (
    'custom_feature { feature_name: "c" expression: ["user:a", "user:b"] '
    'operator_name: "EditDistance" '
)
_SOURCES = tuple(
    f"{source} embedding_dim: 2"
    for source in (
        "hash_bucket_size: 9", "num_buckets: 9", "vocab_list: 'x'", "vocab_file: 'none'",
        "vocab_dict { key: 'x' value: 2 }", "zch { zch_size: 9 lru {} }",
        "dynamicemb { max_capacity: 9 }",
    )
)  # fmt: skip
_NUMBERS = (
    "boundaries: 1 embedding_dim: 2",
    "embedding_dim: 2 mlp {}",
    'normalizer: "method=expression,expr=x"',
)
_MADE = (
    ("match_feature", "nested_map: 'user:m' pkey: 'user:p' skey: 'user:s'", _SOURCES + _NUMBERS),
    ("expr_feature", "expression: 'a' variables: 'user:a'", (*_NUMBERS[:2], "fill_missing: 1")),
    ("overlap_feature", "query: 'user:a' title: 'user:b' method: 'is_equal'", _NUMBERS),
    ("kv_dot_product", "query: 'user:a' document: 'user:b'", _NUMBERS),
    ("bool_mask_feature", "expression: ['user:a', 'user:b']", _SOURCES),
    (
        "custom_feature",
        "expression: 'user:a' operator_name: 'builtins:dict' "
        "operator_params { fields { key: 'limit' value { number_value: 2 } } }",
        _SOURCES + _NUMBERS,
    ),
    (
        "combine_feature",
        "expression: 'user:a' value_map { key: 'x' value: 1 }",
        ("num_buckets: 9 embedding_dim: 2", *_NUMBERS),
    ),
    ("regex_replace_feature", "expression: 'user:a' regex_pattern: 'x' value_dim: 0", _SOURCES),
    (
        "tokenize_feature",
        f"expression: 'user:a' vocab_file: '{__file__}'",
        (f"embedding_dim: 2 text_normalizer {{ max_length: 3 stop_char_file: '{__file__}' }}",),
    ),
)
_FEATURES = (
    _PIECES,
    _ID + 'vocab_dict { key: "x" value: 2 } }',
    _ID + 'vocab_list: ["x", "y"] }',
    _COMBO + "hash_bucket_size: 9 }",
    _COMBO + "zch { zch_size: 9 lru {} } }",
    _ID + "zch { zch_size: 9 lfu {} threshold_filtering_func: 'lambda x: (x > 1, 1)' } }",
    _ID + "zch { zch_size: 9 distance_lfu {} } }",
    _ID + "dynamicemb { max_capacity: 9 initializer_args {} frequency_admission_strategy "
    "{ threshold: 2 counter_capacity: 3 } } }",
    _ID + "dynamicemb { max_capacity: 9 probabilistic_admission_strategy { probability: 0.5 } } }",
    _COMBO + 'vocab_list: ["x_y"] }',
    _COMBO + 'vocab_dict { key: "x_y" value: 2 } }',
    'raw_feature { feature_name: "r" expression: "user:c" embedding_dim: 2 boundaries: [1, 2] }',
    'raw_feature { feature_name: "r" expression: "user:c" embedding_dim: 2 '
    "autodis { num_channels: 2 } }",
    _LOOKUP + "hash_bucket_size: 9 embedding_dim: 2 }",
    _LOOKUP + "num_buckets: 9 embedding_dim: 2 }",
    _LOOKUP + 'vocab_list: "x" embedding_dim: 2 }',
    _LOOKUP + 'vocab_dict { key: "x" value: 2 } embedding_dim: 2 }',
    _LOOKUP + 'vocab_file: "none" embedding_dim: 2 }',
    _LOOKUP + "zch { zch_size: 9 lru {} } embedding_dim: 2 }",
    _LOOKUP + "boundaries: 1 embedding_dim: 2 }",
    _LOOKUP + 'normalizer: "method=expression,expr=x" embedding_dim: 2 mlp {} }',
    _COMBO + 'vocab_file: "none" }',
    _CUSTOM + "boundaries: 1 embedding_dim: 2 }",
    _CUSTOM + 'normalizer: "method=expression,expr=x" embedding_dim: 2 autodis { num_channels: 2 } '
    'operator_params { fields { key: "encoding" value { string_value: "utf-8" } } } }',
    *(
        f'{kind} {{ feature_name: "k" {columns} {source} }}'
        for kind, columns, sources in _MADE
        for source in sources
    ),
)


class _Tokenizer:
    """A tokenizer, as the library that need not be there makes one."""

    @classmethod
    def from_str(cls, text: str) -> _Tokenizer:
        return cls()

    def get_vocab_size(self) -> int:
        return 3


def _features() -> None:
    library = ModuleType("tokenizers")
    vars(library)["Tokenizer"] = _Tokenizer
    sys.modules["tokenizers"] = library
    raymon.allow_custom_classes()
    for mode in ("FG_NONE", "FG_DAG"):
        for text in _FEATURES:
            config = text_format.Parse(
                f"data_config {{ fg_mode: {mode} }} feature_configs {{ {text} }}", PipelineConfig()
            )
            with suppress(raymon.RaymonError):
                features_of(config)


def _retrieval() -> None:
    for text in (IN_BATCH.replace("MORE", ""), DAT.replace("MORE", "in_batch_negative: true")):
        model, batch = model_of(pipeline(text, SOFTMAX)), batch_of(4)
        model.loss(model(batch), batch)
    mind, batch = mind_model.model_of(), mind_model.batch_of()
    mind.loss(mind(batch), batch)
    config = PipelineConfig()
    for field in config.data_config.DESCRIPTOR.oneofs_by_name["sampler"].fields:
        getattr(config.data_config, field.name).SetInParent()
        sampler_spec(config.data_config, evaluation=True)


def _spellings() -> None:
    config = text_format.Parse(
        """data_config { fg_encoded: true input_fields_str: "a:INT" }
        train_config { dense_optimizer { param_optimizers { regex_pattern: "a"
          sgd_optimizer {} param_learning_rate { constant_learning_rate {} } } } }
        feature_configs { id_feature { vocab_file: "a" asset_dir: "b" } }
        feature_configs { combo_feature { vocab_file: "a" asset_dir: "b" } }""",
        PipelineConfig(),
    )
    settle_spellings(config, Source("config"))


def _others() -> None:
    config = text_format.Parse(
        """data_config { dataset_type: CsvDataset delimiter: ";" label_fields: "y"
          input_fields { input_name: "a" input_type: INT64 } }
        model_config { custom { class_path: "raymon.models:DeepFM" }
          metrics { ndcg_at_k { grouping_key: "k" } }
          metrics { hit_rate_at_k { grouping_key: "k" } }
          metrics { mrr { grouping_key: "k" } }
          metrics { map { grouping_key: "k" } }
          metrics { grouped_xauc { grouping_key: "k" } } }""",
        PipelineConfig(),
    )
    format_of(config.data_config)
    grouping_keys(config)
    with suppress(raymon.RaymonError):
        build_model(config, [])
    # Sinks are made without the libraries of their trackers, which need not be there.
    importlib.util.find_spec = lambda name, package=None: sys.__spec__
    raymon.allow_custom_classes()
    for tracker in (
        'mlflow { tracking_uri: "mlruns" }', "wandb {}", "trackio {}",
        'custom { class_path: "tests.sinks.trackers.own_sink:Rows" }',
    ):  # fmt: skip
        text = f"monitor_config {{ trackers {{ {tracker} }} }}"
        with suppress(raymon.RaymonError):
            trackers_of(text_format.Parse(text, PipelineConfig()))
    opentelemetry_of(text_format.Parse("opentelemetry {}", MonitorConfig()), "run")


def main() -> None:
    folder = Path(sys.argv[1])
    watch()
    make_runs(folder)
    build_all()
    print(json.dumps(sorted(reads)))


if __name__ == "__main__":
    main()
