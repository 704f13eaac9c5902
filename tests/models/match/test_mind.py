"""MIND, held against its formula written out in plain torch."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from raymon.data import Batch, Candidates, IdList
from tests.models.match.mind_model import batch_of, model_of


@pytest.mark.parametrize("history", ["", "hist_seq_mlp { hidden_units: [5, 2] }"])
def test_interests_are_weighed_for_the_own_item(history: str) -> None:
    model, batch = model_of(history=history).eval(), batch_of()
    tower = model.user_tower
    tables = tower.inputs.embeddings
    users = tables.table_of("user").weight[[3, 8, 0]]
    user = tower.user_mlp.output(tower.user_mlp.mlp(users))
    rows = tables.table_of("seq__item").weight[[3, 5, 7, 1, 2]]
    if tower.history_mlp is not None:
        first, last = tower.history_mlp.mlp.layers[0], tower.history_mlp.output
        assert last.bias is None
        rows = first(rows).relu() @ last.weight.T
    items = model.item_tower(batch)
    expected = []
    for row, (begin, end) in enumerate([(0, 4), (4, 4), (4, 5)]):
        behaviours = torch.zeros(1, 4, rows.shape[1])
        behaviours[0, : end - begin] = rows[begin:end]
        there, length = torch.arange(4)[None] < end - begin, torch.tensor([end - begin])
        capsules, kept = tower.capsules(behaviours, there, length)
        vectors = []
        for capsule in capsules[0][kept[0]]:
            hidden = tower.concat_mlp.layers[0](torch.cat([user[row], capsule])).relu()
            vectors.append(F.normalize(tower.output.weight @ hidden, dim=0))
        near = torch.stack([v @ items[row] for v in vectors])
        vector = (near * 2).softmax(0) @ torch.stack(vectors)
        expected.append(F.normalize(vector, dim=0) @ items.T / 0.5)
    torch.testing.assert_close(model(batch)["similarity"], torch.stack(expected))


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_every_parameter_takes_part_in_every_step(size: int) -> None:
    model, batch = model_of(history="hist_seq_mlp { hidden_units: [5, 2] }"), batch_of(size)
    model.loss(model(batch), batch)["softmax_cross_entropy"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_negatives_of_a_sampler_are_scored() -> None:
    model = model_of("similarity: INNER_PRODUCT").eval()
    drawn = Batch(size=5, sparse={"item": IdList(torch.tensor([1, 2, 4, 7, 8]))})
    batch = replace(batch_of(), candidates=Candidates(drawn))
    found = model(batch)["similarity"]
    assert found.shape == (3, 3)
    assert model.target("y", batch).tolist() == [0, 0, 0]
