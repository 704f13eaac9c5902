"""The inputs of groups are their numbers and embeddings, and a table is there once."""

from __future__ import annotations

import torch

from raymon.models.layers.grouped_inputs import GroupedInputs
from tests.models.pipelines import DEEPFM, batch_of, features_of, pipeline


def test_a_group_is_its_numbers_then_its_embeddings() -> None:
    config = pipeline(DEEPFM)
    inputs = GroupedInputs(config.model_config, features_of(config), ["deep", "fm"])
    batch = batch_of(5)
    found = inputs(batch)
    assert list(found) == ["deep", "fm"]
    assert inputs.widths("deep") == [1, 2, 4, 4]
    assert inputs.widths("fm") == [4, 4, 4]
    price, age, user, _ = found["deep"].split(inputs.widths("deep"), dim=1)
    assert torch.equal(price, batch.dense["price"])
    assert torch.equal(age, batch.dense["age"])
    table = inputs.embeddings.table_of("user")
    assert torch.equal(user, table.weight[batch.sparse["user"].values])
    assert torch.equal(found["fm"][:, :4], user)


def test_a_table_of_several_groups_is_there_once() -> None:
    config = pipeline(DEEPFM)
    inputs = GroupedInputs(config.model_config, features_of(config), ["deep", "fm"])
    assert len(list(inputs.parameters())) == len({"user", "type"})
