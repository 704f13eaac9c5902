"""Wrong results of a custom model are reported in words, with the place of its method."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from raymon.data import Batch, IdList, LabelKind
from raymon.errors import ConfigError, ModelError
from raymon.models import Head, Model, RankingModel
from raymon.models.contract import check_losses
from tests.models.pipelines import BCE, DLRM, batch_of, model_of, pipeline

HERE = "tests.models.test_contract"
CUSTOM = DLRM[: DLRM.index("dlrm {")] + f'custom {{ class_path: "{HERE}:Given" }}'
METRIC = f"{BCE} metrics {{ auc {{}} }}"
CLASSES = "num_class: 3 losses { softmax_cross_entropy {} }"
RETRIEVAL = """losses { softmax_cross_entropy {} } metrics { recall_at_k { top_k: 1 } }
  metrics { accuracy {} }"""

ROWS = 6
Returned = Callable[[Tensor], Any]


class Given(RankingModel):
    """A model that predicts what a test gives it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.weight = nn.Parameter(torch.ones(ROWS))
        self.returned: Returned = lambda weight: {}

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        returned: dict[str, Tensor] = self.returned(self.weight)
        return returned


def given(returned: Returned, losses: str = METRIC) -> Given:
    model = model_of(pipeline(CUSTOM, losses))
    assert isinstance(model, Given)
    model.returned = returned
    return model


def step(model: Model) -> None:
    batch = batch_of(ROWS)
    predictions = model.predict(batch)
    model.check_predictions(predictions, batch)
    check_losses(model, model.loss(predictions, batch))


def right(weight: Tensor) -> dict[str, Tensor]:
    return {"logits": weight, "probs": weight.sigmoid()}


WRONG: list[tuple[Returned, str, str]] = [
    (lambda w: w, METRIC, "returned float32 [6]; it must return a dictionary of tensors"),
    (lambda w: (w, w), METRIC, "returned a tuple; it must return a dictionary of tensors"),
    (lambda w: None, METRIC, "returned None; it must return a dictionary of tensors"),
    (lambda w: {"probs": 1.0}, METRIC, "returned 'probs': a float; it must return tensors by name"),
    (lambda w: {}, METRIC, 'returned nothing; auc takes "probs", float [B]'),
    (
        lambda w: {"logit": w, "probs": w},
        METRIC,
        'returned "logit", "probs"; binary_cross_entropy takes "logits", float [B]',
    ),
    (lambda w: {"logits": w}, METRIC, 'returned "logits"; auc takes "probs", float [B]'),
    (
        lambda w: {**right(w), "logits": w[:, None]},
        METRIC,
        'returned "logits" as float32 [6, 1] for a batch of 6 rows; binary_cross_entropy takes '
        "float [B]; squeeze(1) makes it so",
    ),
    (
        lambda w: {**right(w), "probs": w[1:]},
        METRIC,
        'returned "probs" as float32 [5] for a batch of 6 rows; auc takes float [B]',
    ),
    (lambda w: {**right(w), "logits": w.mean()}, METRIC, '"logits" as float32 [] for a batch'),
    (lambda w: {**right(w), "logits": w.long()}, METRIC, '"logits" as int64 [6] for a batch'),
    (right, CLASSES, "softmax_cross_entropy takes float [B, 3]"),
    (lambda w: {"logits": w.expand(4, 6).T}, CLASSES, '"logits" as float32 [6, 4] for a batch'),
    (lambda w: {"logits": w[:, None]}, RETRIEVAL.split("metrics")[0], "takes float [B, C]"),
]


@pytest.mark.parametrize(
    ("returned", "losses", "message"),
    WRONG,
    ids=lambda value: str(getattr(value, "__name__", value))[:50],
)
def test_predictions_that_do_not_fit_are_reported_with_the_method(
    returned: Returned, losses: str, message: str
) -> None:
    line = inspect.getsourcelines(Given.predict)[1]
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        step(given(returned, losses))
    assert str(caught.value).startswith(f"{__file__}:{line}: Given.predict returned ")
    assert "\n" not in str(caught.value)


class OwnLoss(Given):
    def loss(self, predictions: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        lost: dict[str, Tensor] = self.lost(self.weight)
        return lost

    lost: Returned


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (lambda w: w.mean(), "returned float32 []; it must return a dictionary of scalars"),
        (lambda w: {}, "returned an empty dictionary; it must return a dictionary"),
        (
            lambda w: {"own": w},
            'returned "own" as float32 [6]; it must be a float scalar, the mean',
        ),
        (lambda w: {"own": w[:1]}, 'returned "own" as float32 [1]; it must be a float scalar'),
        (lambda w: {"own": 0.5}, "returned 'own': a float; it must return tensors by name"),
        (lambda w: {"own": w.mean().detach()}, "returned own without a gradient; compute it of"),
    ],
)
def test_losses_that_do_not_fit_are_reported_with_the_method(lost: Returned, message: str) -> None:
    text = CUSTOM.replace("Given", "OwnLoss")
    model = model_of(pipeline(text, METRIC))
    assert isinstance(model, OwnLoss)
    model.returned, model.lost = right, lost
    line = inspect.getsourcelines(OwnLoss.loss)[1]
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        step(model)
    assert str(caught.value).startswith(f"{__file__}:{line}: OwnLoss.loss returned ")


def test_losses_have_the_same_names_in_every_step() -> None:
    model, loss = given(right), torch.ones((), requires_grad=True)
    check_losses(model, {"a": loss}, ["a"])
    with pytest.raises(ModelError, match=r"Given\.loss returned b, and a in the step be"):
        check_losses(model, {"b": loss}, ["a"])


def test_what_fits_goes_through() -> None:
    step(given(right))
    step(given(lambda w: {name: value.bfloat16() for name, value in right(w).items()}))
    step(given(lambda w: {"logits": w.expand(3, 6).T, "more": torch.zeros(())}, CLASSES))


class Retrieval(RankingModel):
    """A model that scores the items of all rows of a batch for each of its users."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.user, self.item = nn.Embedding(50, 4), nn.Embedding(20, 4)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        ids: list[IdList] = [batch.sparse["user"], batch.sparse["tag"]]
        scores = self.user(ids[0].values) @ self.item(ids[1].values).T
        return {"logits": scores, "probs": scores.softmax(1)}

    def target(self, label: str, batch: Batch) -> Tensor:
        return torch.arange(batch.size)


def test_a_model_may_score_the_candidates_of_a_batch() -> None:
    model = model_of(pipeline(CUSTOM.replace("Given", "Retrieval"), RETRIEVAL))
    model.init_metric()
    batch = batch_of(9)
    batch.sparse["tag"] = IdList(torch.randperm(9))
    predictions = model.predict(batch)
    model.check_predictions(predictions, batch)
    loss = model.loss(predictions, batch)["softmax_cross_entropy"]
    # Of the definition: the mean of -log p of the item of the row itself.
    expected = -predictions["logits"].double().softmax(1).diagonal().log().mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    model.update_metric(predictions, batch)
    hits = (predictions["logits"].argmax(1) == torch.arange(9)).float().mean().item()
    assert model.compute_metric()["recall_at_k"].item() == pytest.approx(hits)


def test_the_last_batch_may_have_one_row_with_itself_for_a_candidate_and_a_rank_none() -> None:
    model = model_of(pipeline(CUSTOM.replace("Given", "Retrieval"), RETRIEVAL))
    model.init_metric()
    for rows in (1, 0):
        batch = batch_of(rows)
        batch.sparse["tag"] = IdList(torch.arange(rows))
        predictions = model.predict(batch)
        model.check_predictions(predictions, batch)
        losses = model.loss(predictions, batch)
        check_losses(model, losses)
        assert losses["softmax_cross_entropy"] == 0
        if rows:
            model.update_metric(predictions, batch)
            assert model.compute_metric()["recall_at_k"] == 1


def test_a_label_beyond_the_candidates_is_reported_with_their_number() -> None:
    model = given(lambda w: {"logits": w.expand(2, 6).T}, RETRIEVAL.split("metrics")[0])
    batch = batch_of(ROWS)
    batch.labels["y"][2] = 5
    with pytest.raises(
        ModelError, match="has 2 scores a row for label y: Target 5 is out of bounds"
    ):
        model.loss(model.predict(batch), batch)


def test_a_head_gives_a_score_for_each_of_two_classes_or_more() -> None:
    message = "model_config.num_class: is 1; the Head of a model gives"
    with pytest.raises(ConfigError, match=re.escape(message)):
        Head(4, {"y": LabelKind.CLASS}, 1)
