"""The inputs of groups are their numbers and embeddings, and a table is there once."""

from __future__ import annotations

import pytest
import torch

from raymon.errors import ConfigError
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


def test_groups_of_one_suffix_share_tables_and_others_do_not() -> None:
    text = DEEPFM.replace('name: "fm"', 'name: "fm" embedding_name_suffix: "a.b"')
    config = pipeline(text)
    inputs = GroupedInputs(config.model_config, features_of(config), ["deep", "fm"])
    names = {name: tuple(p.shape) for name, p in inputs.named_parameters()}
    assert names == {
        "embeddings.tables.t_user.weight": (50, 4),
        "embeddings.tables.t_type.weight": (20, 4),
        "embeddings_a%2Eb.tables.t_user.weight": (50, 4),
        "embeddings_a%2Eb.tables.t_type.weight": (20, 4),
    }
    found = inputs(batch_of(5))
    assert not torch.equal(found["fm"][:, :4], found["deep"][:, 3:7])
    both = text.replace('name: "deep"', 'name: "deep" embedding_name_suffix: "a.b"')
    config = pipeline(both)
    inputs = GroupedInputs(config.model_config, features_of(config), ["deep", "fm"])
    assert len(list(inputs.parameters())) == 2
    found = inputs(batch_of(5))
    assert torch.equal(found["fm"][:, :4], found["deep"][:, 3:7])


def test_a_wide_group_has_small_embeddings_of_its_own_initial_values() -> None:
    text = DEEPFM.replace(
        "deepfm {", 'deepfm { wide_embedding_dim: 3 wide_init_fn: "nn.init.constant_,val=0.5"'
    )
    config = pipeline(text)
    inputs = GroupedInputs(config.model_config, features_of(config), ["wide", "deep"])
    assert inputs.widths("wide") == [3, 3]
    batch = batch_of(5)
    assert (inputs(batch)["wide"] == 0.5).all()
    assert (inputs(batch)["deep"][:, 3:] != 0.5).any()
    wrong = pipeline(text.replace("constant_,val=0.5", "uniform,a=0"))
    with pytest.raises(ConfigError, match=r'wide_init_fn: unknown.*"uniform_"'):
        GroupedInputs(wrong.model_config, features_of(wrong), ["wide"])
