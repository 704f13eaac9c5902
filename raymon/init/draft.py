"""A first config for a table: what its columns become, and why."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from raymon.data import (
    ColumnProfile,
    FileKind,
    TableSample,
    profile_column,
    read_sample,
)
from raymon.errors import DataError
from raymon.init.feature_text import FeatureText, quoted
from raymon.init.features import features_of_column, why_left_out
from raymon.init.labels import Label, find_labels
from raymon.init.leaks import why_leak
from raymon.init.names import is_user
from raymon.init.sizes import Sizes, sizes_for
from raymon.init.tasks import best_metric, model

_ROWS_PER_USER = 1.5
_EVAL_ROWS = 1000
_DATASETS = {
    FileKind.PARQUET: "ParquetDataset",
    FileKind.CSV: "CsvDataset",
    FileKind.IPC: "ArrowIpcDataset",
}


@dataclass(frozen=True)
class Draft:
    """A first config.

    Attributes:
        text: Text of the config.
        rows: Rows of the training data.
        features: Columns that became features.
        left_out: Why each of the other columns did not, by name.
        leaks: Those of them that say what the label is.
    """

    text: str
    rows: int
    features: tuple[str, ...]
    left_out: dict[str, str]
    leaks: tuple[str, ...]


def draft_config(
    path: str,
    labels: Sequence[str],
    *,
    model_dir: str,
    evaluation: str | None = None,
    drop: Sequence[str] = (),
) -> Draft:
    """Returns a config that trains a first model on a table.

    Args:
        path: Training data: files, a directory or a glob, of Parquet, CSV or Arrow IPC.
        labels: Columns that are learned.
        model_dir: Directory of the run.
        evaluation: Evaluation data; None if there is none.
        drop: Columns that make no feature.

    Raises:
        UserError: The data cannot be read, a column is not there, or its values are no labels.
    """
    sample = read_sample(path)
    found = find_labels(sample, labels, path)
    there = sample.table.column_names
    for name in drop:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(there[:20])}"
            raise DataError(f"{path}: --drop {name}: is not there; {hint}")
    missing = _missing(sample, evaluation, found)
    profiles = {
        name: profile_column(name, sample.table[name], sample.rows)
        for name in there
        if name not in {label.name for label in found}
    }
    sizes = sizes_for(sample.rows)
    features: list[FeatureText] = []
    left_out: dict[str, str] = dict.fromkeys(sample.partial, "only some files have it")
    leaks, taken = [], set(there)
    for name, profile in profiles.items():
        why = "--drop said so" if name in drop else missing.get(name)
        why = why or why_left_out(profile, sample.rows)
        if why is None:
            reasons = (why_leak(sample.table[name], profile, label) for label in found)
            why = next((reason for reason in reasons if reason is not None), None)
            leaks += [name] if why is not None else []
        if why is None:
            features.append(features_of_column(profile, sizes.embedding_dim, taken))
        else:
            left_out[name] = why
    if not any(feature.has_embedding for feature in features):
        some = "; ".join(f"{name}: {why}" for name, why in list(left_out.items())[:3])
        raise DataError(
            f"{path}: no column becomes a feature with an embedding, which deepfm needs"
            + (f" ({some})" if some else "")
        )
    text = _text(sample, path, evaluation, model_dir, found, sizes, features, left_out, profiles)
    names = tuple(feature.column for feature in features)
    return Draft(text, sample.rows, names, left_out, tuple(leaks))


def _missing(
    sample: TableSample, evaluation: str | None, labels: Sequence[Label]
) -> dict[str, str]:
    """Returns why columns make no feature that the evaluation data does not have, by name."""
    if evaluation is None:
        return {}
    there = read_sample(evaluation, _EVAL_ROWS).table.column_names
    for label in labels:
        if label.name not in there:
            raise DataError(f"{evaluation}: has no column {label.name}, which is a label")
    return {
        name: "the evaluation data does not have it"
        for name in sample.table.column_names
        if name not in there
    }


def _text(
    sample: TableSample,
    path: str,
    evaluation: str | None,
    model_dir: str,
    labels: Sequence[Label],
    sizes: Sizes,
    features: Sequence[FeatureText],
    left_out: dict[str, str],
    profiles: dict[str, ColumnProfile],
) -> str:
    user = _user(profiles, sample)
    lines = [
        f"# A first config, written by raymon init from {len(sample.table):,} of the "
        f"{sample.rows:,} rows.",
        "# What it says of the columns is what these rows are like: look it over, and change it.",
        "",
        f"train_input_path: {quoted(path)}",
    ]
    if evaluation is not None:
        lines.append(f"eval_input_path: {quoted(evaluation)}")
    else:
        lines.append("# There is no evaluation data: raymon init --eval PATH, or eval_input_path.")
    lines += [f"model_dir: {quoted(model_dir)}", "", *_train(sizes, labels, evaluation is not None)]
    lines += ["", *_data(sample, labels, sizes), ""]
    for feature in features:
        lines += [f"# {feature.column}: {_one_line(feature.why)}.", *feature.blocks, ""]
    if left_out:
        lines.append("# Left out; a column that belongs into the model gets a feature as above.")
        lines += [f"#   {name}: {_one_line(why)}" for name, why in left_out.items()]
        lines.append("")
    inner = model(labels, sizes, user, evaluation is not None)
    lines += ["model_config {", *(f"  {line}" for line in inner), "}", ""]
    lines.append("# 0 trains in this process; of N workers each is a process of Ray.")
    lines += ["ray_config { num_workers: 0 }", ""]
    return "\n".join(lines)


def _train(sizes: Sizes, labels: Sequence[Label], is_evaluated: bool) -> Iterator[str]:
    yield "train_config {"
    yield f"  num_epochs: {sizes.epochs}  # more may overfit: look at the evaluations"
    yield f"  save_checkpoints_steps: {sizes.save_steps}  # each is evaluated"
    yield f"  log_step_count_steps: {sizes.log_steps}"
    yield f"  sparse_optimizer {{ {sizes.sparse_optimizer} constant_learning_rate {{}} }}"
    yield "  dense_optimizer { adam_optimizer { lr: 0.001 } constant_learning_rate {} }"
    yield "  keep_checkpoint_max: 3"
    yield "}"
    if is_evaluated:
        best = quoted(best_metric(labels))
        yield f'export_config {{ exporter_type: "best" best_exporter_metric: {best} }}'


def _data(sample: TableSample, labels: Sequence[Label], sizes: Sizes) -> Iterator[str]:
    yield "data_config {"
    yield f"  dataset_type: {_DATASETS[sample.file_format.kind]}"
    if sample.file_format.kind is FileKind.CSV:
        yield f"  with_header: true delimiter: {quoted(sample.file_format.csv.delimiter)}"
    yield "  fg_mode: FG_DAG  # features are made of raw columns"
    yield f"  batch_size: {sizes.batch_size}  # of each worker"
    yield "  eval_batch_size: 4096"
    for label in labels:
        yield f"  label_fields: {quoted(label.name)}  # {_one_line(label.about)}"
    for text, number in (labels[0].mapping or _mapping(labels)).items():
        yield f"  label_map {{ key: {quoted(text)} value: {number} }}"
    yield "  shuffle: true"
    yield "  num_workers: 2  # threads that read ahead"
    yield "}"


def _mapping(labels: Sequence[Label]) -> dict[str, int]:
    return next((dict(label.mapping) for label in labels if label.mapping), {})


def _user(profiles: dict[str, ColumnProfile], sample: TableSample) -> str | None:
    """Returns the column of users, of which there are several rows each."""
    for name, profile in profiles.items():
        is_plain = profile.lengths is None and profile.separator is None
        seen = profile.cardinality.seen
        if is_user(name) and is_plain and seen > 1 and len(sample.table) >= _ROWS_PER_USER * seen:
            return name
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())
