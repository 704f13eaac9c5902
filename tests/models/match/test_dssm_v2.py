from __future__ import annotations

import pytest
import torch

from raymon.data import Batch
from raymon.models import DSSMV2
from tests.models.match.towers import layers, with_candidates
from tests.models.pipelines import DSSM_V2, SOFTMAX, batch_of, model_of, pipeline


def model(more: str = "") -> DSSMV2:
    made = model_of(pipeline(DSSM_V2.replace("MORE", more), SOFTMAX))
    assert isinstance(made, DSSMV2)
    return made


def test_towers_share_the_table_of_one_name() -> None:
    assert set(model().inputs.embeddings.tables) == {"t_user", "t_type"}


@pytest.mark.parametrize("sampled", [False, True])
def test_users_and_items_are_scored_by_the_formula(sampled: bool) -> None:
    made = model("" if sampled else "in_batch_negative: true")
    batch = batch_of(5)
    if sampled:
        batch = with_candidates(batch, 3, [(1, 0)])
    items: Batch = batch if batch.candidates is None else batch.candidates.items
    if sampled:
        for name in ("user", "tags.all"):
            items.sparse.pop(name)
        items.dense.pop("age")
    own = made.inputs.embeddings(batch)
    theirs = made.inputs.embeddings.table_of("tag").weight[items.sparse["tag"].values]
    of_user = [batch.dense["age"], own["user"], own["tags.all"]]
    users = layers(made.user_tower, torch.cat(of_user, 1))
    vectors = layers(made.item_tower, torch.cat([items.dense["price"], theirs], 1))
    expected = users @ vectors.T
    if sampled:
        first, hard = expected[:, :5].diagonal()[:, None], torch.full((5, 1), -1e30)
        hard[1, 0] = expected[1, 8]
        expected = torch.cat([first, expected[:, 5:8], hard], 1)
    torch.testing.assert_close(made(batch)["similarity"], expected)


@pytest.mark.parametrize("size", [0, 1, 4])
def test_every_parameter_takes_part_in_every_step(size: int) -> None:
    made, batch = model(), with_candidates(batch_of(size), 3, [])
    made.loss(made(batch), batch)["softmax_cross_entropy"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in made.parameters())
