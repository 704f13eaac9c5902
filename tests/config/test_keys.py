from __future__ import annotations

import pytest

from raymon.config import overrides_of_json
from raymon.errors import ConfigError
from tests.config.test_overrides import config_with

_DIM = "id_feature.embedding_dim"


def features(*overrides: str) -> list[int]:
    given = [
        'feature_configs=[{id_feature {feature_name: "a" embedding_dim: 1}}, '
        '{id_feature {feature_name: "b.c" embedding_dim: 2}}, '
        '{raw_feature {feature_name: "r"}}, {id_feature {feature_name: "d" embedding_dim: 3}}]'
    ]
    config = config_with([*given, *overrides])
    return [
        feature.id_feature.embedding_dim if feature.HasField("id_feature") else -1
        for feature in config.feature_configs
    ]


@pytest.mark.parametrize(
    ("selector", "dims"),
    [
        ("[-1]", [1, 2, -1, 9]),
        ("[0:2]", [9, 9, -1, 3]),
        ("[:1]", [9, 2, -1, 3]),
        ("[-1:]", [1, 2, -1, 9]),
        ("[feature_name=a]", [9, 2, -1, 3]),
        ("[feature_name = 'b.c']", [1, 9, -1, 3]),
        ("[id_feature.feature_name=d]", [1, 2, -1, 9]),
        ("[embedding_dim>=2]", [1, 9, -1, 9]),
        ("[embedding_dim<2]", [9, 2, -1, 3]),
        ("[embedding_dim>2]", [1, 2, -1, 9]),
        ("[embedding_dim<=2]", [9, 9, -1, 3]),
        ("[:]", [9, 9, -1, 9]),
    ],
)
def test_a_selector_means_the_items_that_fit(selector: str, dims: list[int]) -> None:
    assert features(f"feature_configs{selector}.{_DIM}=9") == dims


def test_all_items_are_set() -> None:
    config = config_with(
        ["model_config.dlrm.final.hidden_units=[4, 5, 6]",
         "model_config.dlrm.final.hidden_units[1:]=7"]
    )  # fmt: skip
    assert list(config.model_config.dlrm.final.hidden_units) == [4, 7, 7]


def test_items_that_a_selector_means_are_removed() -> None:
    assert features("feature_configs[feature_name=a]=") == [2, -1, 3]
    assert features("feature_configs[0:2]=", f"feature_configs[1].{_DIM}=9") == [-1, 9]


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ("[9]", "has no item 9; it has items 0 to 3"),
        ("[7:9]", "has no items [7:9]; it has items 0 to 3"),
        ("[feature_name=zz]", "has no item with feature_name=zz"),
        ("[embedding_dim=x]", "is x; must be an integer"),
        ("[feature_name=r]", "has no id_feature among these items"),
        ("[x]", "has no item x; it has items 0 to 3: write [0], [1:3], [:], or [FIELD=VALUE]"),
    ],
)
def test_a_selector_that_means_nothing_is_told(selector: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        features(f"feature_configs{selector}.{_DIM}=9")
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"--set feature_configs{selector}.{_DIM}=9: ")


def test_json_sets_what_overrides_set() -> None:
    config = config_with(
        overrides_of_json(
            '{"train_config.num_steps": 5, "train_config.use_tensorboard": false, '
            '"model_dir": " a ", "train_config.tensorboard_summaries": ["loss"], '
            '"eval_input_path": null, "data_config.dataset_type": "CsvDataset", '
            '"train_config.grad_clipping": {"clipping_type": "norm", "max_gradient": 2.5}, '
            '"feature_configs[feature_name=user].id_feature.embedding_dim": 16, '
            '"model_config.metrics": [{"auc": {"thresholds": 7}}, {"accuracy": {}}], '
            '"train_config.log_step_count_steps;data_config.batch_size": "3;4"}'
        )
    )
    train = config.train_config
    assert (train.num_steps, train.use_tensorboard, config.model_dir) == (5, False, " a ")
    assert list(train.tensorboard_summaries) == ["loss"]
    assert not config.HasField("eval_input_path")
    assert config.data_config.dataset_type == 2
    assert (train.grad_clipping.clipping_type, train.grad_clipping.max_gradient) == ("norm", 2.5)
    assert config.feature_configs[0].id_feature.embedding_dim == 16
    assert [metric.WhichOneof("metric") for metric in config.model_config.metrics] == [
        "auc", "accuracy",
    ]  # fmt: skip
    assert config.model_config.metrics[0].auc.thresholds == 7
    assert (train.log_step_count_steps, config.data_config.batch_size) == (3, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "--edit {: is not JSON: "),
        ("[1]", "--edit [1]: is no JSON object; write "),
        ('{"a;b": "1"}', "--edit a;b: names 2 fields and has 1 values; give as many"),
    ],
)
def test_json_that_is_wrong_is_told(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overrides_of_json(text)
    assert str(caught.value).startswith(said)
