"""What is told of models of retrieval that cannot train."""

from __future__ import annotations

from pathlib import Path

import pytest

from raymon.config import load
from raymon.errors import ConfigError
from raymon.training.prepare import check_config
from tests.config.texts import TEXT, line_of, write

MODEL = """  feature_groups { group_name: "u" feature_names: "user" group_type: DEEP }
  feature_groups { group_name: "i" feature_names: "age" group_type: DEEP }
  dssm {
    user_tower { input: "u" mlp { hidden_units: 8 } }
    item_tower { input: "i" mlp { hidden_units: 4 } }
    output_dim: 4
    in_batch_negative: true
  }
  losses { softmax_cross_entropy {} }
  metrics { recall_at_k {} }
}
"""
RIGHT = TEXT[: TEXT.index("  feature_groups")] + MODEL


def refused(folder: Path, before: str, after: str) -> str:
    text = RIGHT.replace(before, after)
    assert text != RIGHT
    with pytest.raises(ConfigError) as raised:
        load(write(folder, text))
    return str(raised.value).removeprefix(f"{folder}/run.config:")


def test_a_model_of_two_towers_is_right(tmp_path: Path) -> None:
    load(write(tmp_path, RIGHT))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("in_batch_negative: true", "", "model_config.dssm: has no negatives; set in_batch"),
        ("output_dim: 4", "output_dim: 0", "model_config.dssm.output_dim: is 0, and the MLPs of"),
        (
            "output_dim: 4",
            "output_dim: 4 similarity: EUCLID",
            "model_config.dssm.similarity: raymon does not have EUCLID; other systems compute the",
        ),
        (
            "output_dim: 4",
            "output_dim: 4 temperature: 0",
            "model_config.dssm.temperature: is 0.0; must be above 0",
        ),
        (
            'input: "i"',
            'input: "it"',
            'model_config.feature_groups[1].group_name: unknown group "i"',
        ),
        (
            "softmax_cross_entropy {}",
            "binary_cross_entropy {}",
            "model_config.losses[0]: is binary_cross_entropy; ",
        ),
        (
            "softmax_cross_entropy {}",
            "softmax_cross_entropy { label_smoothing: 0.1 }",
            "model_config.losses[0].softmax_cross_entropy.label_smoothing: ",
        ),
        ("recall_at_k {}", "auc {}", "model_config.metrics[0]: is auc; "),
        (
            "  losses",
            "  num_class: 3\n  losses",
            "model_config.num_class: is 3; a model of retrieval scores candidates",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_line(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    place, _, found = refused(tmp_path, before, after).partition(": ")
    assert found.startswith(message)
    assert abs(int(place) - line_of(before, RIGHT)) <= 5


def test_a_misspelled_group_is_told_with_those_of_the_towers(tmp_path: Path) -> None:
    found = refused(tmp_path, 'group_name: "i"', 'group_name: "items"')
    assert 'unknown group "items"' in found


SAMPLER = """data_config {
  hard_negative_sampler {
    item_input_path: "items"
    hard_neg_edge_input_path: "edges"
    num_sample: 5
    num_hard_sample: 2
    attr_fields: "a"
    item_id_field: "a"
    user_id_field: "u"
  }
"""
SAMPLED = RIGHT.replace("data_config {\n", SAMPLER).replace("in_batch_negative: true", "")


def test_a_model_with_a_sampler_is_right(tmp_path: Path) -> None:
    load(write(tmp_path, SAMPLED))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("num_sample: 5", "num_sample: 0", "num_sample: is 0; must be at least 1"),
        ('"items"', '""', "item_input_path: is empty; give a name"),
        ('attr_fields: "a"', "", "has no attr_fields; name the columns"),
        ('attr_fields: "a"', 'attr_fields: ["a", "a"]', 'attr_fields[1]: "a" is listed twice'),
        ("num_sample: 5", 'num_sample: 5 attr_delimiter: ""', "attr_delimiter: is empty; give"),
        ("num_sample: 5", 'num_sample: 5 field_delimiter: "||"', "field_delimiter: must be one"),
        ("    item_input_path", "    input_path", "input_path"),
        ('    item_input_path: "items"\n', "", "item_input_path: is missing; it must be given"),
    ],
)
def test_what_is_wrong_with_a_sampler_is_told(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = SAMPLED.replace(before, after)
    assert text != SAMPLED
    with pytest.raises(ConfigError) as raised:
        load(write(tmp_path, text))
    place, path, found = str(raised.value).split(": ", 2)
    assert message in f"{path}: {found}"
    assert abs(int(place.rpartition(":")[2]) - line_of(before, SAMPLED)) <= 8


def test_the_sampler_of_a_tree_is_refused_by_name(tmp_path: Path) -> None:
    text = SAMPLED.replace("  hard_negative_sampler {", "  tdm_sampler {")
    with pytest.raises(ConfigError, match="raymon does not have tdm_sampler yet"):
        load(write(tmp_path, text))


def test_a_sampler_of_a_model_that_scores_rows_has_no_effect(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(write(tmp_path, TEXT.replace("data_config {\n", SAMPLER)))
    assert "has no effect: dlrm is no model of retrieval" in caplog.text


def test_an_item_feature_that_negatives_do_not_have_is_told(tmp_path: Path) -> None:
    text = SAMPLED.replace('attr_fields: "a"', 'attr_fields: "b"')
    with pytest.raises(ConfigError) as raised:
        check_config(load(write(tmp_path, text)))
    assert str(raised.value) == (
        'data_config.hard_negative_sampler.attr_fields: have no a, of which feature "age" of group '
        '"i" is made; a negative needs all features of an item'
    )


def test_an_attribute_that_no_item_feature_is_made_of_has_no_effect(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = SAMPLED.replace('attr_fields: "a"', 'attr_fields: ["a", "b"]')
    check_config(load(write(tmp_path, text)))
    (said,) = [message for message in caplog.messages if "attr_fields" in message]
    assert said == (
        "data_config.hard_negative_sampler.attr_fields[1]: has no effect: no feature of items is "
        'made of "b"'
    )
