"""The columns that the features, labels, weights and keys of a config need."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.known_configs.blocks import Block, many, one
from tests.known_configs.cells import Cells, stronger

_KEYS = tuple(f"k{number}" for number in range(12))
_WORDS = ("red", "blue", "green", "small", "large", "shirt", "shoe", "phone", "new", "old")
_POOL = 40


def is_encoded(config: Block) -> bool:
    """Returns whether the columns of a config hold ids and numbers already."""
    data = one(config, "data_config")
    if "fg_mode" in data:
        return str(one(data, "fg_mode")) == "FG_NONE"
    return bool(one(data, "fg_encoded", True))


def columns_of(config: Block) -> dict[str, Cells]:
    """Returns the columns of the features of a config, and of its labels, weights and keys."""
    columns: dict[str, Cells] = {}

    def add(name: str, cells: Cells) -> None:
        columns[name] = stronger(columns.get(name), cells)

    single = _single(config)
    for kind, feature, sequence in _features(config):
        pairs = _encoded(feature) if is_encoded(config) else _raw(kind, feature)
        for name, cells in pairs:
            whole, cells = name, replace(cells, several=cells.several and name not in single)
            if sequence is not None:
                whole = f"{one(sequence, 'sequence_name')}__{name}" if _is_inner(sequence) else name
                cells = _in_sequence(config, cells, feature, sequence, whole)
            add(whole, cells)
    for name, cells in _maps(config, columns):
        add(name, cells)
    for name, cells in _labels(config):
        columns[name] = cells
    for name, field in _keys(config):
        base = columns.get(name, Cells("id", _numbers(_POOL)))
        if field == "user_id_field":
            base = replace(base, kind="id", pool=_numbers(_POOL))
        columns[name] = replace(base, nullable=False, several=False)
    return columns


def _is_inner(sequence: Block) -> bool:
    return "sequence_name" in sequence


def _features(config: Block) -> Iterator[tuple[str, Block, Block | None]]:
    """Yields each feature as its kind, its block, and the sequence that it is of."""
    for feature in many(config, "feature_configs"):
        ((kind, blocks),) = feature.items()
        block = blocks[0] if isinstance(blocks, list) else blocks
        if kind == "sequence_feature":
            for inner in many(block, "features"):
                ((kind, blocks),) = inner.items()
                yield kind, blocks[0] if isinstance(blocks, list) else blocks, block
        elif kind.startswith("sequence_"):
            yield kind.removeprefix("sequence_"), block, block
        else:
            yield kind, block, None


def rows_of(feature: Block) -> int | None:
    """Returns how many rows the table of a feature has; None for no table, 0 for any number."""
    for name in ("num_buckets", "hash_bucket_size"):
        if name in feature:
            return int(one(feature, name))
    listed = many(feature, "vocab_list")
    if listed:
        return len(listed) + ("default_bucketize_value" not in feature) * 2
    if "vocab_dict" in feature:
        return 1 + max(int(one(entry, "value")) for entry in many(feature, "vocab_dict"))
    if "boundaries" in feature:
        return len(many(feature, "boundaries")) + 1
    if "vocab_file" in feature:
        return 3
    return 0 if "zch" in feature or "dynamicemb" in feature else None


def _encoded(feature: Block) -> Iterator[tuple[str, Cells]]:
    name, dims = one(feature, "feature_name"), int(one(feature, "value_dim", 1))
    rows = rows_of(feature)
    if rows is None:
        yield name, Cells("number", separator="\x03", dims=max(dims, 1), lists=_even(name))
        return
    several = _even(name) and not dims
    pool = _numbers(min(rows or _POOL, _POOL))
    weighted = bool(one(feature, "weighted", False))
    yield name, Cells("id", pool, separator="\x03", several=several, weighted=weighted)


def _raw(kind: str, feature: Block) -> Iterator[tuple[str, Cells]]:
    separator = one(feature, "separator", "\x1d")
    dims = int(one(feature, "value_dim", 1))
    if kind == "id_feature":
        cells = _values(feature, separator)
        weighted = bool(one(feature, "weighted", False))
        several = weighted or (_even(one(feature, "feature_name")) and cells.kind == "word")
        yield (
            _column(one(feature, "expression")),
            replace(cells, weighted=weighted, several=several),
        )
    elif kind == "raw_feature":
        column = _column(one(feature, "expression"))
        yield column, Cells("number", (), 5, separator, dims, lists=_even(column))
    elif kind in ("combo_feature", "bool_mask_feature"):
        for expression in many(feature, "expression"):
            yield _column(expression), Cells("word", _KEYS, 1, separator)
    elif kind == "expr_feature":
        for variable in many(feature, "variables"):
            yield _column(variable), Cells("number", (), 3)
    elif kind == "tokenize_feature":
        yield _column(one(feature, "expression")), Cells("word", _WORDS, 6, " ", 3, several=True)
    elif kind in ("custom_feature", "overlap_feature"):
        for field in ("expression", "query", "title"):
            for source in many(feature, field):
                yield _column(source), Cells("word", _WORDS, 2, separator, several=True)
    else:
        for field in ("query", "document", "key", "pkey", "skey"):
            for source in many(feature, field):
                if not source.startswith("feature:") and source != "ALL":
                    yield _column(source), Cells("word", _KEYS, 1)


def _maps(config: Block, columns: dict[str, Cells]) -> Iterator[tuple[str, Cells]]:
    """Yields the columns of maps, whose keys are those that are looked up."""
    if is_encoded(config):
        return

    def keys(source: str) -> tuple[str, ...]:
        known = columns.get(_column(source))
        return known.pool if known is not None and known.pool else _numbers(6)

    for kind, feature, _ in _features(config):
        values = _values(feature, "").pool or tuple(f"{number / 4}" for number in range(9))
        if kind == "lookup_feature":
            pairs = [
                f"{key}:{values[index % len(values)]}"
                for index, key in enumerate(keys(one(feature, "key")))
            ]
            yield _column(one(feature, "map")), Cells("word", tuple(pairs), several=True)
        elif kind == "match_feature":
            skeys = keys(one(feature, "skey"))
            inner = [
                ",".join(
                    f"{key}:{values[(index + shift) % len(values)]}"
                    for index, key in enumerate(skeys)
                )
                for shift in range(3)
            ]
            outer = [
                f"{key}^{inner[index % 3]}" for index, key in enumerate(keys(one(feature, "pkey")))
            ]
            column = _column(one(feature, "nested_map"))
            yield column, Cells("word", tuple(outer), separator="|", several=True)


def _values(feature: Block, separator: str) -> Cells:
    """Returns values that have ids in the table of a feature."""
    listed = tuple(str(value) for value in many(feature, "vocab_list"))
    listed += tuple(one(entry, "key") for entry in many(feature, "vocab_dict"))
    if listed:
        return Cells("word", (*listed, "unlisted"), 7, separator)
    if "vocab_file" in feature:
        return Cells("word", (*VOCABULARY, "unlisted"), 7, separator)
    if "num_buckets" in feature:
        rows = min(int(one(feature, "num_buckets")), _POOL)
        return Cells("id", _numbers(rows), 8, separator)
    if "hash_bucket_size" in feature:
        return Cells("word", _KEYS, 4, separator)
    if "zch" in feature or "dynamicemb" in feature:
        return Cells("id", tuple(str(10**6 + number) for number in range(_POOL)), 4, separator)
    return Cells("id", (), 0, separator)


VOCABULARY = ("apple", "pear", "plum")
"""The values of the files of vocabularies."""


def _in_sequence(config: Block, cells: Cells, feature: Block, sequence: Block, name: str) -> Cells:
    delim = one(sequence, "sequence_delim", ";")
    # One element has one value, but where the config asks for any number.
    many_values = one(feature, "value_dim", None) == 0 and cells.kind == "word"
    return replace(
        cells,
        sequence=delim,
        several=many_values,
        lengths=one(sequence, "sequence_name") or _group_of(config, name),
        longest=int(one(sequence, "sequence_length", 10)),
        nullable=False,
        lists=_even(name),
    )


def _group_of(config: Block, name: str) -> str:
    """Returns the group of features that a sequence is of."""
    for outer in many(one(config, "model_config"), "feature_groups"):
        for group in (*many(outer, "sequence_groups"), outer):
            if name in many(group, "feature_names"):
                return str(one(group, "group_name"))
    return name


def _single(config: Block) -> set[str]:
    """Returns columns of one value a cell: of queries, and of items that are sampled."""
    names: set[str] = set()
    for outer in many(one(config, "model_config"), "feature_groups"):
        for group in (*many(outer, "sequence_groups"), outer):
            if group is not outer or str(one(outer, "group_type")).endswith("SEQUENCE"):
                names.update(many(group, "feature_names"))
    for kind, sampler in one(config, "data_config").items():
        if kind.endswith("sampler"):
            for field in ("attr_fields", "item_id_field", "user_id_field"):
                names.update(many(_first(sampler), field))
    return names


def _labels(config: Block) -> Iterator[tuple[str, Cells]]:
    data, model = one(config, "data_config"), one(config, "model_config")
    classes = int(one(model, "num_class", 1))
    names = many(data, "label_fields")
    kinds = {name: _label(classes, many(model, "losses")) for name in names}
    for block in _all_blocks(model):
        if "label_name" in block and "losses" in block:
            own = int(one(block, "num_class", 1))
            kinds[one(block, "label_name")] = _label(own, many(block, "losses"))
        if "sample_weight_name" in block:
            kinds[one(block, "sample_weight_name")] = _WEIGHT
    for name in many(data, "sample_weight_fields"):
        kinds[name] = _WEIGHT
    yield from kinds.items()


_WEIGHT = Cells("number", ("0.25", "0.5", "1.0", "2.0"), nullable=False)


def _label(classes: int, losses: list[Block]) -> Cells:
    if any("l2_loss" in loss for loss in losses):
        return Cells("number", nullable=False)
    return Cells("id", _numbers(max(classes, 2)), nullable=False)


def _keys(config: Block) -> Iterator[tuple[str, str]]:
    """Yields the columns of keys, with the field that names each."""
    for block in _all_blocks(config):
        for field in ("grouping_key", "session_name", "item_id_field", "user_id_field"):
            for name in many(block, field):
                yield name, field


def _all_blocks(value: Any) -> Iterator[Block]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, (dict, list)):
            yield from _all_blocks(inner)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _column(expression: str) -> str:
    return expression.partition(":")[2]


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))


def _even(name: str) -> bool:
    """Returns whether a name is of the half that is made otherwise."""
    return zlib.crc32(name.encode()) % 2 == 0
