"""Which parts of a model are summed, and which are concatenated, as the papers say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from raymon.errors import ConfigError
from raymon.models import Model
from tests.models.pipelines import batch_of, model_of, pipeline
from tests.models.rank_models import RANK_MODELS


def part(model: Model, name: str, inputs: Tensor) -> Tensor:
    output: Tensor = model.get_submodule(name)(inputs)
    return output


def last(model: Model, inputs: Tensor) -> Tensor:
    weight = model.get_parameter("head.outputs.0.weight")
    bias = model.state_dict().get("head.outputs.0.bias", torch.zeros(1))
    return (inputs @ weight.T + bias).squeeze(1)


def wide_and_deep(model: Model, groups: dict[str, Tensor]) -> Tensor:
    return groups["wide"].sum(1) + last(model, part(model, "deep_mlp", groups["deep"]))


def wide_and_deep_with_final(model: Model, groups: dict[str, Tensor]) -> Tensor:
    wide = groups["wide"].sum(1, keepdim=True)
    both = torch.cat([wide, part(model, "deep_mlp", groups["deep"])], dim=1)
    return last(model, part(model, "final_mlp", both))


def dcn(model: Model, groups: dict[str, Tensor]) -> Tensor:
    x = groups["all"]
    both = torch.cat([part(model, "cross", x), part(model, "deep_mlp", x)], dim=1)
    return last(model, part(model, "final_mlp", both))


def dcn_v2(model: Model, groups: dict[str, Tensor]) -> Tensor:
    return last(model, part(model, "final_mlp", part(model, "cross", groups["all"])))


def dcn_v2_with_all(model: Model, groups: dict[str, Tensor]) -> Tensor:
    x = groups["all"]
    crossed = part(model, "cross", part(model, "backbone", x))
    both = torch.cat([crossed, part(model, "deep_mlp", x)], dim=1)
    return last(model, part(model, "final_mlp", both))


def xdeepfm(model: Model, groups: dict[str, Tensor]) -> Tensor:
    crossed = part(model, "cin", groups["wide"].reshape(-1, 2, 3))
    both = torch.cat([crossed, part(model, "deep_mlp", groups["deep"])], dim=1)
    return last(model, part(model, "final_mlp", both))


def wukong(model: Model, groups: dict[str, Tensor]) -> Tensor:
    vectors = groups["sparse"].reshape(-1, 3, 4)
    dense = part(model, "dense_mlp", groups["dense"]).reshape(-1, 1, 4)
    vectors = part(model, "layers", torch.cat([dense, vectors], dim=1))
    return last(model, part(model, "final_mlp", vectors.reshape(-1, 5 * 4)))


def wukong_of_one_group(model: Model, groups: dict[str, Tensor]) -> Tensor:
    vectors = part(model, "layers", groups["any"].reshape(-1, 3, 4))
    return last(model, part(model, "final_mlp", vectors.reshape(-1, 5 * 4)))


EXPECTED = {
    "wide_and_deep": wide_and_deep,
    "wide_and_deep_with_final": wide_and_deep_with_final,
    "dcn_v1": dcn,
    "dcn_v2": dcn_v2,
    "dcn_v2_with_all": dcn_v2_with_all,
    "xdeepfm": xdeepfm,
    "wukong": wukong,
    "wukong_of_one_group": wukong_of_one_group,
}
WITHOUT_BIAS = {"dcn_v1", "dcn_v2", "dcn_v2_with_all"}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_logit_is_made_of_the_parts(name: str) -> None:
    model, batch = model_of(pipeline(RANK_MODELS[name])), batch_of(9)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
        logits = model(batch)["logits"]
        expected = EXPECTED[name](model, model.get_submodule("inputs")(batch))
    torch.testing.assert_close(logits, expected)
    assert (logits.max() - logits.min()).item() > 1e-3
    assert ("head.outputs.0.bias" not in model.state_dict()) == (name in WITHOUT_BIAS)


@pytest.mark.parametrize(
    ("name", "old", "new", "error"),
    [
        ("wide_and_deep", '["user", "tag"]', '["user", "age"]', '"age" has no embedding; group'),
        ("xdeepfm", '["user", "tag"]', '["user", "age"]', '"age" has no embedding; group "wide"'),
        ("wukong", "hidden_units: [8, 4]", "hidden_units: 8", "ends in 8; must end in 4"),
        ("wukong", '"tag"]', '"tag", "price"]', '"price" has no embedding; group "sparse"'),
    ],
)
def test_features_that_do_not_fit_are_told(name: str, old: str, new: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        model_of(pipeline(RANK_MODELS[name].replace(old, new)))
