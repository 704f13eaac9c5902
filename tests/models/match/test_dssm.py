"""DSSM, held against its formula written out in plain torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from raymon.data import Batch
from raymon.errors import ModelError
from raymon.models import DSSM
from tests.models.match.towers import layers, with_candidates
from tests.models.pipelines import IN_BATCH, SOFTMAX, batch_of, model_of, pipeline

NAME = "softmax_cross_entropy"
LOSSES = f"""{SOFTMAX} metrics {{ recall_at_k {{ top_k: 2 }} }}
  train_metrics {{ recall_at_k {{ top_k: 1 }} decay_step: 1 }}"""


def dssm(more: str = "", losses: str = LOSSES, data: str = 'label_fields: "y"') -> DSSM:
    model = model_of(pipeline(IN_BATCH.replace("MORE", more), losses, data))
    assert isinstance(model, DSSM)
    return model


def vectors(model: DSSM, batch: Batch) -> tuple[Tensor, Tensor]:
    user = model.user_tower.inputs.embeddings(batch)["user"]
    users = layers(model.user_tower.tower, torch.cat([batch.dense["age"], user], 1))
    found = model.item_tower.inputs.embeddings(batch)
    inputs = [batch.dense["price"], found["tags.all"], found["tag"]]
    return users, layers(model.item_tower.tower, torch.cat(inputs, 1))


@pytest.mark.parametrize("cosine", [False, True])
def test_each_row_is_scored_against_the_items_of_the_batch(cosine: bool) -> None:
    model = dssm("temperature: 0.5" + " similarity: COSINE" * cosine)
    batch = batch_of(7)
    users, items = vectors(model, batch)
    expected = torch.zeros(7, 7)
    for row in range(7):
        for other in range(7):
            both = users[row], items[other]
            expected[row, other] = F.cosine_similarity(*both, 0) if cosine else both[0] @ both[1]
    torch.testing.assert_close(model(batch)["similarity"], expected / 0.5)


def test_the_loss_is_minus_the_log_of_the_softmax_of_the_own_item() -> None:
    model, batch = dssm(), batch_of(9)
    similarity = model(batch)["similarity"]
    powers = similarity.exp()
    expected = -(powers.diagonal() / powers.sum(1)).log().mean()
    torch.testing.assert_close(model.loss({"similarity": similarity}, batch), {NAME: expected})


def test_labels_of_0_are_positives_too() -> None:
    model, batch = dssm(), batch_of(9)
    before = model.loss(model(batch), batch)
    batch.labels["y"].zero_()
    torch.testing.assert_close(model.loss(model(batch), batch), before)


def test_sample_weights_weigh_rows_and_not_candidates() -> None:
    model = dssm(data='label_fields: "y" sample_weight_fields: "w"')
    batch = batch_of(6)
    similarity, w = model(batch)["similarity"], batch.weights["w"]
    rows = F.cross_entropy(similarity, torch.arange(6), reduction="none")
    expected = (w * rows).sum() / w.sum()
    torch.testing.assert_close(model.loss({"similarity": similarity}, batch), {NAME: expected})


def test_recall_is_the_share_of_own_items_among_the_first_k() -> None:
    model, batch = dssm(), batch_of(40)
    model.init_metric()
    predictions = model(batch)
    model.update_metric(predictions, batch)
    model.update_train_metric(predictions, batch)
    ranks = (predictions["similarity"] > predictions["similarity"].diagonal()[:, None]).sum(1)
    assert model.compute_metric()["recall_at_k"].item() == pytest.approx(
        (ranks < 2).double().mean().item()
    )
    assert model.compute_train_metric()["recall_at_k"].item() == pytest.approx(
        (ranks < 1).double().mean().item()
    )


@pytest.mark.parametrize("size", [0, 1, 5])
def test_every_parameter_takes_part_in_every_step(size: int) -> None:
    model, batch = dssm("similarity: COSINE"), batch_of(size)
    loss = model.loss(model(batch), batch)[NAME]
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    if size < 2:
        assert loss == 0


def test_similarities_are_float32_under_autocast() -> None:
    model, batch = dssm(), batch_of(20)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = model(batch)["similarity"]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, model(batch)["similarity"], atol=0.02, rtol=0.05)


def test_towers_have_tables_of_their_own() -> None:
    model = dssm()
    assert set(model.user_tower.inputs.embeddings.tables) == {"t_user"}
    assert set(model.item_tower.inputs.embeddings.tables) == {"t_type"}


def test_without_output_dim_vectors_are_those_of_the_mlps() -> None:
    text = IN_BATCH.replace("MORE", "").replace("output_dim: 4", "output_dim: 0")
    model = model_of(pipeline(text.replace("hidden_units: [8]", "hidden_units: [6]"), LOSSES))
    assert len(list(model.parameters())) == 6
    assert model(batch_of(5))["similarity"].shape == (5, 5)


def sampled(in_batch: bool = False) -> DSSM:
    text = IN_BATCH.replace("MORE", "").replace("negative: true", f"negative: {in_batch}".lower())
    model = model_of(pipeline(text, LOSSES))
    assert isinstance(model, DSSM)
    return model


@pytest.mark.parametrize("in_batch", [False, True])
@pytest.mark.parametrize("hard", [[], [(0, 0), (2, 0), (2, 1)]])
def test_candidates_of_a_sampler_are_scored(in_batch: bool, hard: list[tuple[int, int]]) -> None:
    model, batch = sampled(in_batch), with_candidates(batch_of(4), 3, hard)
    assert batch.candidates is not None
    users, _ = vectors(model, batch)
    _, items = vectors(model, batch.candidates.items)
    right = range(4) if in_batch else [0] * 4
    expected = []
    for row in range(4):
        own = range(7) if in_batch else [row, 4, 5, 6]
        scores = [users[row] @ items[item] for item in own]
        scores += [users[row] @ items[7 + n] for n, (of, _) in enumerate(hard) if of == row]
        expected.append(F.cross_entropy(torch.stack(scores), torch.tensor(right[row])))
    predictions = model(batch)
    loss = model.loss(predictions, batch)[NAME]
    torch.testing.assert_close(loss, torch.stack(expected).mean())
    model.init_metric()
    model.update_metric(predictions, batch)
    similarity = predictions["similarity"]
    own_score = similarity.gather(1, torch.tensor(list(right))[:, None])
    hits = ((similarity > own_score).sum(1) < 2).double().mean()
    assert model.compute_metric()["recall_at_k"].item() == pytest.approx(hits.item())
    assert not model.metric_input_errors()
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_a_batch_without_rows_has_a_loss_of_0_and_gradients() -> None:
    model, batch = sampled(), with_candidates(batch_of(4), 3, [(0, 0)]).without_rows()
    loss = model.loss(model(batch), batch)[NAME]
    loss.backward()
    assert loss == 0
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_without_candidates_and_in_batch_negatives_the_sampler_is_missed() -> None:
    with pytest.raises(ModelError, match="come from the sampler of data_config"):
        sampled()(batch_of(4))
