"""What is told of models of retrieval that cannot train."""

from __future__ import annotations

from pathlib import Path

import pytest

from raymon.config import load
from raymon.errors import ConfigError
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
