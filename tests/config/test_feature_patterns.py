"""Groups that name their features by patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from raymon.config import CONFIG_FILE, load, override, read_saved, save
from raymon.errors import ConfigError

TEXT = """
train_input_path: "x"
model_dir: "{model_dir}"
train_config {{
  num_steps: 1
  dense_optimizer {{ adam_optimizer {{}} constant_learning_rate {{}} }}
}}
data_config {{ label_fields: "click" fg_mode: FG_DAG }}
feature_configs {{ raw_feature {{ feature_name: "user_age" expression: "user:age" }} }}
feature_configs {{ id_feature {{
  feature_name: "user_id" expression: "user:id" hash_bucket_size: 10 embedding_dim: 4
}} }}
feature_configs {{ raw_feature {{
  feature_name: "price" expression: "item:price" boundaries: [1, 2] embedding_dim: 4
}} }}
feature_configs {{ id_feature {{
  feature_name: "item_id" expression: "item:id" num_buckets: 10 embedding_dim: 4
}} }}
model_config {{
  {groups}
  losses {{ binary_cross_entropy {{}} }}
}}
"""
DEEPFM = """
  feature_groups {{ group_name: "wide" group_type: WIDE feature_names: {wide} }}
  feature_groups {{ group_name: "fm" group_type: DEEP feature_names: {fm} }}
  feature_groups {{ group_name: "deep" group_type: DEEP feature_names: {deep} }}
  deepfm {{ deep {{ hidden_units: 4 }} }}
"""
DLRM = """
  feature_groups { group_name: "dense" group_type: DEEP feature_names: "*" }
  feature_groups { group_name: "sparse" group_type: DEEP feature_names: "*" }
  dlrm { dense_mlp { hidden_units: 4 } final { hidden_units: 4 } }
"""


def write(tmp_path: Path, groups: str) -> Path:
    path = tmp_path / "a.config"
    path.write_text(TEXT.format(model_dir=tmp_path / "run", groups=groups))
    return path


def deepfm(tmp_path: Path, wide: str = '"*"', fm: str = '"*"', deep: str = '"*"') -> Path:
    return write(tmp_path, DEEPFM.format(wide=wide, fm=fm, deep=deep))


def names(config) -> dict[str, list[str]]:
    return {g.group_name: list(g.feature_names) for g in config.model_config.feature_groups}


def test_all_features_are_those_that_fit_the_group_and_are_saved_by_name(tmp_path: Path) -> None:
    config = load(deepfm(tmp_path))
    embedded = ["user_id", "price", "item_id"]
    assert names(config) == {"wide": embedded, "fm": embedded, "deep": ["user_age", *embedded]}
    (tmp_path / "run").mkdir()
    save(config, tmp_path / "run")
    assert "*" not in (tmp_path / "run" / CONFIG_FILE).read_text()
    assert names(read_saved(tmp_path / "run")) == names(config)
    config = load(write(tmp_path, DLRM))
    assert names(config) == {"dense": ["user_age"], "sparse": embedded}


def test_patterns_match_as_in_names_of_files_and_list_nothing_twice(tmp_path: Path) -> None:
    found = names(
        load(deepfm(tmp_path, '"user_*"', '["item_id", "*_id"]', '["price", "*", "user_???"]'))
    )
    assert found["wide"] == ["user_id"]
    assert found["fm"] == ["item_id", "user_id"]
    assert found["deep"] == ["price", "user_age", "user_id", "item_id"]
    config = load(deepfm(tmp_path))
    config = override(config, {"model_config.feature_groups[1].feature_names[0]": "user*"})
    assert names(config)["fm"] == ["user_id", "price", "item_id"]


@pytest.mark.parametrize(
    ("wide", "says"),
    [
        ('"usr_*"', '"usr_*" matches no feature; the features are user_age, user_id, price, item_'),
        (
            '["price", "user_a*"]',
            '"user_a*" matches no feature; and those that it matches, such as',
        ),
    ],
)
def test_a_pattern_that_matches_nothing_is_said_with_its_line(
    tmp_path: Path, wide: str, says: str
) -> None:
    path = deepfm(tmp_path, wide)
    with pytest.raises(ConfigError) as error:
        load(path)
    line = next(i for i, t in enumerate(path.read_text().splitlines(), 1) if '"wide"' in t)
    place = 1 if "price" in wide else 0
    where = f"{path}:{line}: model_config.feature_groups[0].feature_names[{place}]: "
    assert str(error.value).startswith(where + says)
