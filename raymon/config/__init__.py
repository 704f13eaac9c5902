"""Reads, overrides, checks and saves pipeline configs."""

from raymon.config.activation_names import DICE, Activation, parse_activation
from raymon.config.constraints import unknown_constraint
from raymon.config.custom import (
    allow_custom_classes,
    check_alert_hooks,
    check_tracker_addresses,
    custom_classes_allowed,
    import_class,
    read_kwargs,
    reason_with_place,
)
from raymon.config.derived import (
    evaluates_asynchronously,
    least_rows,
    share_of_batch,
    skips_bad_files,
    total_steps,
)
from raymon.config.direction import cannot_rank, known_direction, note_direction, ranking, stopping
from raymon.config.edits import overrides_of_json
from raymon.config.feature_block import FeatureBlock, feature_blocks
from raymon.config.named_columns import column_fields
from raymon.config.names import (
    TOTAL_LOSS,
    Named,
    has_losses,
    loss_names,
    metric_names,
    named_losses,
    named_metrics,
    named_train_metrics,
    total_of,
)
from raymon.config.reading import load, locate, override, read_message
from raymon.config.retrieval import group_features, is_retrieval, retrieval_settings, tower_groups
from raymon.config.saving import CONFIG_FILE, VERSION_FILE, read_saved, save
from raymon.config.source import Source
from raymon.config.tasks import (
    BOOSTER,
    LIGHT,
    Task,
    has_towers,
    model_labels,
    pipeline_tasks,
    tasks_of,
    towers_of,
    trained_labels,
    trained_weights,
)
from raymon.config.text import missing_field
from raymon.config.unknown_names import describe_unknown
from raymon.config.validate_losses import LIKE
from raymon.config.validate_metrics import OF_TWO_CLASSES
from raymon.config.validate_sampler import SAMPLER_PATHS
from raymon.config.validate_trackers import tracker_place

__all__ = [
    "BOOSTER",
    "CONFIG_FILE",
    "DICE",
    "LIGHT",
    "LIKE",
    "OF_TWO_CLASSES",
    "SAMPLER_PATHS",
    "TOTAL_LOSS",
    "VERSION_FILE",
    "Activation",
    "FeatureBlock",
    "Named",
    "Source",
    "Task",
    "allow_custom_classes",
    "cannot_rank",
    "check_alert_hooks",
    "check_tracker_addresses",
    "column_fields",
    "custom_classes_allowed",
    "describe_unknown",
    "evaluates_asynchronously",
    "feature_blocks",
    "group_features",
    "has_losses",
    "has_towers",
    "import_class",
    "is_retrieval",
    "known_direction",
    "least_rows",
    "load",
    "locate",
    "loss_names",
    "metric_names",
    "missing_field",
    "model_labels",
    "named_losses",
    "named_metrics",
    "named_train_metrics",
    "note_direction",
    "override",
    "overrides_of_json",
    "parse_activation",
    "pipeline_tasks",
    "ranking",
    "read_kwargs",
    "read_message",
    "read_saved",
    "reason_with_place",
    "retrieval_settings",
    "save",
    "share_of_batch",
    "skips_bad_files",
    "stopping",
    "tasks_of",
    "total_of",
    "total_steps",
    "tower_groups",
    "towers_of",
    "tracker_place",
    "trained_labels",
    "trained_weights",
    "unknown_constraint",
]
