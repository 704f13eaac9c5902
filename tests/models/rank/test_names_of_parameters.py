"""Checkpoints, patterns of optimizers and curves know parameters by these names: they stay."""

from __future__ import annotations

import pytest

from tests.models.pipelines import DEEPFM, DLRM, model_of, pipeline

NAMES = {
    "dlrm": """
        embeddings.tables.t_user.weight
        embeddings.tables.t_type.weight
        dense_mlp.layers.0.weight
        dense_mlp.layers.0.bias
        dense_mlp.layers.2.weight
        dense_mlp.layers.2.bias
        final_mlp.layers.0.weight
        final_mlp.layers.0.bias
        head.outputs.0.weight
        head.outputs.0.bias
    """,
    "deepfm": """
        wide_embeddings.tables.t_user.weight
        wide_embeddings.tables.t_type.weight
        embeddings.tables.t_user.weight
        embeddings.tables.t_type.weight
        deep_mlp.layers.0.weight
        deep_mlp.layers.0.bias
        deep_mlp.layers.2.weight
        deep_mlp.layers.2.bias
        final_mlp.layers.0.weight
        final_mlp.layers.0.bias
        head.outputs.0.weight
        head.outputs.0.bias
    """,
}


@pytest.mark.parametrize("model", NAMES)
def test_parameters_have_the_names_that_checkpoints_know(model: str) -> None:
    made = model_of(pipeline({"dlrm": DLRM, "deepfm": DEEPFM}[model]))
    assert list(dict(made.named_parameters())) == NAMES[model].split()
    assert set(made.state_dict()) == set(NAMES[model].split())
