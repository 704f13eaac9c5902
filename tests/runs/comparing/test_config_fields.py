"""Configs are compared by what they mean, not by where it stands."""

from __future__ import annotations

import pytest

from raymon.runs import field_differences, fields_of

BASE = """
model_dir: "here"
train_config { num_steps: 7 }
feature_configs { id_feature { feature_name: "a" embedding_dim: 8 } }
feature_configs { id_feature { feature_name: "b" embedding_dim: 8 } }
model_config { metrics { auc {} } metrics { grouped_auc { grouping_key: "u" } } }
"""


def differences(*texts: str | None) -> dict[str, tuple[str | None, ...]]:
    return {each.field: each.values for each in field_differences([fields_of(t) for t in texts])}


def test_a_config_differs_from_itself_in_nothing() -> None:
    assert differences(BASE, BASE) == {}
    assert differences(BASE, BASE.replace("here", "there")) == {}


def test_a_field_has_its_path() -> None:
    assert differences(BASE, BASE.replace("num_steps: 7", "num_steps: 8")) == {
        "train_config.num_steps": ("7", "8")
    }


def test_a_field_that_is_not_set_has_its_default() -> None:
    default = BASE.replace("num_steps: 7", "num_steps: 7 log_step_count_steps: 100")
    assert differences(BASE, default) == {}
    other = default.replace("100", "50")
    assert differences(BASE, other) == {"train_config.log_step_count_steps": ("100", "50")}


def test_features_are_known_by_their_names() -> None:
    a, b = (line for line in BASE.splitlines() if line.startswith("feature_configs"))
    swapped = BASE.replace(a, "A").replace(b, a).replace("A", b)
    assert swapped != BASE
    assert differences(BASE, swapped) == {}
    wider = swapped.replace('"b" embedding_dim: 8', '"b" embedding_dim: 16')
    assert differences(BASE, wider) == {"feature_configs[b].id_feature.embedding_dim": ("8", "16")}
    assert differences(BASE, BASE.replace(b, "")) == {
        "feature_configs[b].id_feature.feature_name": ("b", None),
        "feature_configs[b].id_feature.embedding_dim": ("8", None),
    }


def test_kinds_without_settings_are_seen() -> None:
    assert differences(BASE, BASE.replace("metrics { auc {} }", "")) == {
        "model_config.metrics[auc].auc": ("{}", None)
    }


def test_three_configs_have_three_values() -> None:
    texts = [BASE.replace("num_steps: 7", f"num_steps: {n}") for n in (7, 8, 7)]
    assert differences(*texts) == {"train_config.num_steps": ("7", "8", "7")}


def test_of_a_newer_config_what_is_known_is_compared() -> None:
    newer = BASE.replace("num_steps: 7", "num_steps: 8 colour: GREEN")
    found = fields_of(newer)
    assert not found.is_whole
    assert differences(BASE, newer) == {"train_config.num_steps": ("7", "8")}


@pytest.mark.parametrize("text", [None, "{", "\x00", 'train_config { num_steps: "'])
def test_without_a_config_there_are_no_fields(text: str | None) -> None:
    assert fields_of(text).values == {}
