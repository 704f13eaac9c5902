from __future__ import annotations

import numpy as np
import pytest
import torch

from raymon.errors import ConfigError
from raymon.models.deepfm import second_order
from tests.models.pipelines import DEEPFM, batch_of, model_of, pipeline


def test_the_second_order_is_the_sum_of_products_of_pairs() -> None:
    vectors = torch.randn(3, 4, 5, dtype=torch.float64)
    v = vectors.numpy()
    expected = sum(v[:, i] * v[:, j] for i in range(4) for j in range(i))
    np.testing.assert_allclose(second_order(vectors).numpy(), expected)


def test_the_wide_part_has_tables_of_its_own() -> None:
    model = model_of(pipeline(DEEPFM))
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters() if "tables" in name}
    assert shapes == {
        "wide_embeddings.tables.t_user.weight": (50, 4),
        "wide_embeddings.tables.t_type.weight": (20, 4),
        "embeddings.tables.t_user.weight": (50, 4),
        "embeddings.tables.t_type.weight": (20, 4),
    }


def test_the_final_mlp_may_be_left_out() -> None:
    model = model_of(pipeline(DEEPFM.replace("final { hidden_units: [8] }", "")))
    head = next(model.get_submodule("head").parameters())
    assert head.shape == (1, 4 + 4 + 8)
    assert model(batch_of(6))["probs"].shape == (6,)


def test_numbers_without_boundaries_are_refused_in_the_wide_group() -> None:
    text = DEEPFM.replace('["user", "tag"] group_type: WIDE', '["user", "age"] group_type: WIDE')
    with pytest.raises(ConfigError, match='"age" has no embedding; group "wide"'):
        model_of(pipeline(text))
