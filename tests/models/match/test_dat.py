from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from raymon.errors import ConfigError
from raymon.models import DAT
from tests.models.match.towers import layers, with_candidates
from tests.models.pipelines import DAT as TEXT
from tests.models.pipelines import SOFTMAX, batch_of, model_of, pipeline

IN_BATCH = TEXT.replace("MORE", "in_batch_negative: true similarity: COSINE temperature: 0.1")
WEIGHTED = 'label_fields: "y" sample_weight_fields: "w"'


def model(text: str = IN_BATCH, data: str = 'label_fields: "y"') -> DAT:
    made = model_of(pipeline(text, SOFTMAX, data))
    assert isinstance(made, DAT)
    return made


@pytest.mark.parametrize("weighted", [False, True])
def test_losses_are_those_of_the_paper(weighted: bool) -> None:
    made = model(data=WEIGHTED) if weighted else model()
    batch = batch_of(6)
    a_u = made.user_tower.inputs.embeddings(batch)["user"]
    a_i = made.item_tower.inputs.embeddings(batch)["tag"]
    of_user = torch.cat([batch.dense["age"], a_u, a_u], 1)
    of_item = torch.cat([batch.dense["price"], a_i, a_i], 1)
    p_u = F.normalize(layers(made.user_tower.tower, of_user), dim=1)
    p_i = F.normalize(layers(made.item_tower.tower, of_item), dim=1)
    weights = batch.weights["w"] if weighted else torch.ones(6)
    rows = {
        "softmax_cross_entropy": -(p_u @ p_i.T / 0.1).log_softmax(1).diagonal(),
        "amm_loss_u": 0.25 * ((F.normalize(a_u, dim=1) - p_i) ** 2).sum(1),
        "amm_loss_i": 2 * ((F.normalize(a_i, dim=1) - p_u) ** 2).sum(1),
    }
    expected = {name: (weights * value).sum() / weights.sum() for name, value in rows.items()}
    torch.testing.assert_close(made.loss(made(batch), batch), expected)
    weight = made.batch_weight(batch)
    assert (weight.keys() == rows.keys()) if isinstance(weight, dict) else not weighted


def test_what_augmented_vectors_learn_is_left_alone_by_their_losses() -> None:
    made = model()
    batch = batch_of(6)
    made.loss(made(batch), batch)["amm_loss_u"].backward()
    moved = {name for name, p in made.named_parameters() if p.grad is not None and p.grad.any()}
    assert moved == {"user_tower.inputs.embeddings.tables.t_user.weight"}


def test_with_a_sampler_the_own_item_is_learned() -> None:
    made = model(TEXT.replace("MORE", ""))
    batch = with_candidates(batch_of(4), 3, [(0, 0)])
    found = made(batch)
    assert batch.candidates is not None
    items, _ = made.item_tower(batch.candidates.items)
    _, a_u = made.user_tower(batch)
    expected = ((F.normalize(a_u, dim=1) - items[:4]) ** 2).sum(1)
    torch.testing.assert_close(found["amm_loss_u"], expected)
    torch.stack(list(made.loss(found, batch).values())).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in made.parameters())


@pytest.mark.parametrize("size", [0, 1])
def test_small_batches_have_gradients(size: int) -> None:
    made, batch = model(), batch_of(size)
    torch.stack(list(made.loss(made(batch), batch).values())).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in made.parameters())


def test_an_augmented_vector_of_another_length_is_told() -> None:
    with pytest.raises(ConfigError, match='augment_input: group "ua" has 4 numbers a row; it must'):
        model(IN_BATCH.replace("output_dim: 4", "output_dim: 5"))
