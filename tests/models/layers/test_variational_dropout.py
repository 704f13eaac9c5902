"""Features are dropped by probabilities that are learnt, and those that matter are kept."""

from __future__ import annotations

import pytest
import torch

from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.variational_dropout import (
    VariationalDropout,
    dropouts_of,
    feature_importance,
)
from raymon.protos import layers_pb2
from tests.models.pipelines import DEEPFM, batch_of, features_of, model_of, pipeline
from tests.models.rank_models import RANK_MODELS

PARTS = {"a": 1, "b": 3, "c": 2}
DROPOUT = "variational_dropout { regularization_lambda: 0.5 }"


def dropout(*, by_number: bool = False) -> VariationalDropout:
    config = layers_pb2.VariationalDropout(
        regularization_lambda=0.5, embedding_wise_variational_dropout=by_number
    )
    return VariationalDropout("all", PARTS, config)


@pytest.mark.parametrize("by_number", [False, True])
def test_outside_of_training_inputs_keep_the_share_that_is_not_dropped(by_number: bool) -> None:
    module = dropout(by_number=by_number).eval()
    assert len(module.feature_p) == (6 if by_number else 3)
    module.feature_p.data = torch.linspace(-2, 2, len(module.feature_p))
    p = module.feature_p.sigmoid()
    p = p if by_number else torch.stack([p[0], p[1], p[1], p[1], p[2], p[2]])
    inputs = torch.randn(4, 6)
    torch.testing.assert_close(module(inputs), inputs * (1 - p))


def test_in_training_a_part_of_a_row_is_dropped_by_a_relaxed_bernoulli_variable() -> None:
    torch.manual_seed(0)
    module = dropout()
    module.feature_p.data = torch.tensor([-2.0, 0.0, 1.5])
    kept = module(torch.ones(20_000, 6))
    # All numbers of a part of a row have the same.
    assert torch.equal(kept[:, 1], kept[:, 3])
    assert torch.equal(kept[:, 4], kept[:, 5])
    # It is dropped where logit u > -logit p, which is with the probability p.
    for column, part in ((0, 0), (1, 1), (4, 2)):
        share = (kept[:, column] < 0.5).float().mean()
        torch.testing.assert_close(share, module.feature_p[part].sigmoid(), atol=0.01, rtol=0)
    # Nearly all are nearly 0 or 1.
    assert ((kept < 0.1) | (kept > 0.9)).float().mean() > 0.85


def test_the_penalty_is_lambda_over_the_rows_times_what_is_kept() -> None:
    module = dropout()
    expected = 0.5 / 8 * sum(1 - p for p in module.feature_p.sigmoid())
    torch.testing.assert_close(module.penalty(8), expected)
    assert module.penalty(0).isfinite()


def test_the_most_important_part_is_first() -> None:
    module = dropout()
    module.feature_p.data = torch.tensor([1.0, -3.0, 0.0])
    found = module.probabilities()
    assert list(found) == ["b", "c", "a"]
    assert found["c"] == pytest.approx(0.5)


def test_every_group_of_two_features_or_more_has_its_own() -> None:
    config = pipeline(DEEPFM + DROPOUT)
    inputs = GroupedInputs(config.model_config, features_of(config), ["wide", "deep", "fm"])
    assert {each.group: each.probabilities().keys() for each in dropouts_of(inputs)} == {
        "wide": {"user", "tag"},
        "fm": {"user", "tags.all", "tag"},
        "deep": {"price", "age", "user", "tags.all"},
    }
    alone = pipeline(RANK_MODELS["mask_net"].replace(', "tags.all", "tag", "price", "age"', ""))
    alone.model_config.variational_dropout.SetInParent()
    assert not dropouts_of(model_of(alone))


@pytest.mark.parametrize("data", ["", 'sample_weight_fields: "w"'], ids=["plain", "weighted"])
def test_training_has_the_loss_of_each_group(data: str) -> None:
    text = RANK_MODELS["wide_and_deep"] + DROPOUT
    model, batch = model_of(pipeline(text, data='label_fields: "y" ' + data)), batch_of(8)
    losses = model.loss(model(batch), batch)
    assert list(losses) == ["binary_cross_entropy", "wide_feature_p_loss", "deep_feature_p_loss"]
    weights = model.batch_weight(batch)
    if data:
        assert isinstance(weights, dict)
        assert weights.keys() == losses.keys()
        assert float(weights["deep_feature_p_loss"]) == 8
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert feature_importance(model).keys() == {"wide", "deep"}
    model.eval()
    assert list(model.loss(model(batch), batch)) == ["binary_cross_entropy"]


def test_features_that_say_nothing_are_dropped_and_others_are_kept() -> None:
    torch.manual_seed(0)
    module = dropout()
    module.feature_p.data.zero_()
    linear = torch.nn.Linear(6, 1)
    optimizer = torch.optim.Adam([*module.parameters(), *linear.parameters()], lr=0.05)
    for _ in range(300):
        inputs = torch.randn(256, 6)
        loss = (linear(module(inputs)).squeeze(1) - 2 * inputs[:, 1]).square().mean()
        optimizer.zero_grad()
        (loss + 256 * 0.1 * module.penalty(256)).backward()
        optimizer.step()
    found = module.probabilities()
    assert next(iter(found)) == "b"
    assert found["b"] < 0.2
    assert min(found["a"], found["c"]) > 0.6
