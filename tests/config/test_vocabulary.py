"""Every name of TorchEasyRec's schemas is known where it belongs: raymon has it, or refuses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from raymon.config import load
from raymon.config.known_names import known_fields, known_values
from raymon.config.refusals import Refusal
from raymon.config.text import parse_text
from raymon.errors import ConfigError
from raymon.protos.pipeline_pb2 import PipelineConfig
from tests.config.texts import TEXT, write


def facts() -> dict[str, dict[str, str]]:
    """Returns for each message the types of its fields, "" for scalars; enums have values."""
    lines = Path(__file__).with_name("torcheasyrec_fields.txt").read_text().splitlines()
    found = {}
    for line in lines:
        head, _, names = line.partition(":")
        if not line.startswith("#"):
            fields = [name.partition(":") for name in names.split() if name[0] != "|"]
            found[head] = {name.removesuffix("{}"): kind for name, _, kind in fields}
    return found


FACTS = facts()


def walk(
    theirs: str, ours: Any, path: tuple[str, ...], seen: set[tuple[str, str]]
) -> Iterator[tuple[tuple[str, ...], Any, str, str]]:
    """Yields path of a block, message of raymon, name of a field, its type in the vocabulary."""
    if (theirs, ours.full_name) in seen:
        return
    seen.add((theirs, ours.full_name))
    for name, kind in FACTS[theirs].items():
        yield path, ours, name, kind
        field: FieldDescriptor | None = ours.fields_by_name.get(name)
        if field is not None and field.message_type is not None and kind in FACTS:
            yield from walk(kind, field.message_type, (*path, name), seen)


ALL = list(walk("EasyRecConfig", PipelineConfig.DESCRIPTOR, (), set()))


def refused(text: str) -> list[Refusal]:
    refusals: list[Refusal] = []
    parse_text(text, PipelineConfig(), lambda line: f"f:{line}", refusals=refusals)
    return refusals


def nested(path: tuple[str, ...], inner: str) -> str:
    return " ".join(f"{name} {{" for name in path) + f" {inner} " + "}" * len(path)


def test_each_field_is_had_or_refused_by_name_in_its_block() -> None:
    assert len(ALL) > 400
    wrong = []
    for path, ours, name, kind in ALL:
        if name in ours.fields_by_name:
            continue
        value = f"{name} {{ x {{ y: [1, 'a' 'b'] }} }}" if kind in FACTS else f"{name}: -1"
        try:
            found = refused(nested(path, f"{value} "))
        except ConfigError as error:
            wrong.append(str(error))
            continue
        assert [each.name for each in found] == [name]
        bare = re.sub(r"\[\d+\]", "", found[0].path)
        assert bare == ".".join((*path, name))
        assert found[0].why.startswith(f"raymon does not have {name} ")
    assert wrong == []


def test_each_value_of_an_enum_is_had_or_refused_by_name() -> None:
    for path, ours, name, kind in ALL:
        enum = ours.fields_by_name[name].enum_type if name in ours.fields_by_name else None
        if enum is None:
            continue
        for value in FACTS[f"enum {kind}"]:
            had = value in enum.values_by_name
            assert [each.name for each in refused(nested(path, f"{name}: {value}"))] == (
                [] if had else [value]
            )


def test_a_name_is_known_only_where_it_belongs() -> None:
    for _, ours, _, _ in ALL:
        theirs = {name for _, other, name, _ in ALL if other is ours}
        assert set(known_fields(ours.name)) <= theirs
    assert known_fields("MonitorConfig") == {}
    assert known_values("OnBadFile") == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("num_steps: 10", "num_step: 10", 'unknown field "num_step"; did you mean "num_steps"?'),
        (
            "num_steps: 10",
            "delta_embedding_dump_confi {}",
            '"delta_embedding_dump_config" is near, but raymon does not have it yet',
        ),
        # The nearest name is one of this message, not of another.
        ("auc {}", "wide_embedding_dim: 1", 'unknown field "wide_embedding_dim"; there are '),
    ],
)
def test_a_name_that_nobody_knows_gets_the_nearest_that_fits(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, TEXT.replace(old, new)))
    assert said in str(caught.value)


ODPS = TEXT.replace("fg_mode: FG_DAG", "fg_mode: FG_DAG dataset_type: OdpsDataset")
TREE = TEXT.replace(
    'label_fields: "y"',
    'label_fields: "y"\n  tdm_sampler { item_input_path: "i" # }\n }\n  enable_hstu: true',
).replace("num_steps: 10", 'num_steps: 10 delta_embedding_dump_config: < output_dir: "}" >')


@pytest.mark.parametrize("name", ["OdpsDataset", "OdpsDatasetV1", "KafkaDataset"])
def test_an_override_of_a_value_that_is_not_had_saves_the_config(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, ODPS.replace("OdpsDataset", name))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}:11: data_config.dataset_type: raymon does not have {name} yet; write what it "
        "reads to Parquet, and give its path and --set data_config.dataset_type=ParquetDataset"
    )
    config = load(path, ["data_config.dataset_type=ParquetDataset"])
    assert config.data_config.dataset_type == 1
    assert not load(path, ["data_config.dataset_type="]).data_config.HasField("dataset_type")


def test_several_are_told_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path, TREE)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}:8: train_config.delta_embedding_dump_config: raymon does not have "
        "delta_embedding_dump_config yet; leave it out (and 2 more that it does not have: "
        "tdm_sampler, enable_hstu)"
    )


def test_what_is_not_had_is_cleared_by_overrides(tmp_path: Path) -> None:
    path = write(tmp_path, TREE)
    clear = ["data_config.tdm_sampler=", "data_config.enable_hstu="]
    with pytest.raises(ConfigError, match=r"train_config.delta_embedding_dump_config: [^(]*$"):
        load(path, clear)
    config = load(path, [*clear, "train_config.delta_embedding_dump_config="])
    assert config.train_config.num_steps == 10
    whole = "data_config={fg_mode: FG_DAG label_fields: 'y'}"
    load(path, [whole, "train_config.delta_embedding_dump_config="])


def test_a_member_of_a_oneof_replaces_one_that_is_not_had(tmp_path: Path) -> None:
    text = TEXT.replace("dlrm {", "dlrm_hstu { hstu { } }\n  not_here {").replace(
        "not_here {", "tdm {"
    )
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match="dlrm_hstu: raymon does not have dlrm_hstu yet"):
        load(path)
    load(path, ["model_config.dlrm={dense_mlp {hidden_units: 4} final {hidden_units: 8}}"])


def test_an_item_that_is_removed_takes_what_is_not_had_with_it(tmp_path: Path) -> None:
    text = TEXT.replace(
        "model_config {",
        'feature_configs { id_feature { feature_name: "t" expression: "user:t" embedding_dim: 4\n'
        "dynamicemb { max_capacity: 9 init_table: 't' } } }\nmodel_config {",
    )
    path = write(tmp_path, text)
    wanted = f"{path}:21: feature_configs[2].id_feature.dynamicemb.init_table: "
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(wanted)
    load(path, ["feature_configs[2]="])
    # The items behind one that is removed move up, and so does what is wrong with them.
    with pytest.raises(ConfigError) as caught:
        load(path, ["feature_configs[0]="])
    assert str(caught.value).startswith(wanted.replace("[2]", "[1]"))


def test_an_override_with_a_name_that_is_not_had_is_refused(tmp_path: Path) -> None:
    for override in ("model_config.tdm.final={}", "model_config.dlrm_hstu={}"):
        with pytest.raises(ConfigError) as caught:
            load(write(tmp_path), [override])
        name = override.split(".")[1].partition("=")[0]
        assert str(caught.value).startswith(f"--set {override}: model_config.{name}: raymon does ")


@pytest.mark.parametrize("between", [":", " : "])
def test_an_item_that_is_refused_is_found_by_its_name(tmp_path: Path, between: str) -> None:
    text = TEXT.replace(
        "model_config {",
        f"feature_configs {{ sequence_kv_dot_product {{ text {{ feature_name: 'user' }} "
        f"feature_name{between}'kv' query: 'user:q' }} }}\nmodel_config {{",
    )
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=r":20: feature_configs\[2\]\.sequence_kv_dot_product: "):
        load(path)
    assert len(load(path, ["feature_configs[feature_name=kv]="]).feature_configs) == 2
    with pytest.raises(ConfigError, match="has no item with feature_name=zz"):
        load(path, ["feature_configs[feature_name=zz]="])


def test_what_asks_for_nothing_that_is_lacking_is_taken(tmp_path: Path) -> None:
    text = TEXT.replace(
        "fg_mode: FG_DAG", "fg_mode: FG_DAG enable_hstu: VALUE batch_cost_size: NONE"
    )
    off = text.replace("VALUE", "false").replace("NONE", "0")
    assert load(write(tmp_path, off)) == load(write(tmp_path))
    with pytest.raises(ConfigError, match=r"does not have enable_hstu yet.*: batch_cost_size\)$"):
        load(write(tmp_path, text.replace("VALUE", "true").replace("NONE", "9")))
