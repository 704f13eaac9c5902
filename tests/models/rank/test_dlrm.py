from __future__ import annotations

import numpy as np
import pytest
import torch

from raymon.errors import ConfigError
from raymon.models.rank.dlrm import DotInteraction
from tests.models.pipelines import BCE, DLRM, batch_of, model_of, pipeline


def test_the_interaction_is_the_dot_product_of_every_pair_once() -> None:
    vectors = torch.randn(3, 4, 5)
    got = DotInteraction(4)(vectors).numpy()
    for row, v in zip(got, vectors.numpy(), strict=True):
        expected = sorted(v[i] @ v[j] for i in range(4) for j in range(i))
        np.testing.assert_allclose(sorted(row), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("num_vectors", [1, 2, 5])
def test_the_gradient_of_the_interaction_is_that_of_its_definition(num_vectors: int) -> None:
    vectors = torch.randn(3, num_vectors, 4, dtype=torch.double, requires_grad=True)
    interaction = DotInteraction(num_vectors)
    assert torch.autograd.gradcheck(interaction, vectors)
    assert torch.autograd.gradgradcheck(interaction, vectors)
    with torch.no_grad():
        without = interaction(vectors)
    assert torch.equal(interaction(vectors), without)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("stacked", [torch.float32, None], ids=["float32", "as_autocast"])
def test_the_interaction_follows_autocast(dtype: torch.dtype, stacked: torch.dtype | None) -> None:
    torch.manual_seed(0)
    vectors = torch.randn(6, 5, 4, requires_grad=True)
    rows, columns = torch.tril_indices(5, 5, offset=-1)
    with torch.autocast("cpu", dtype=dtype):
        given = vectors.to(stacked or dtype)
        found = DotInteraction(5)(given)
        expected = torch.bmm(given, given.transpose(1, 2))[:, rows, columns]
    assert found.dtype == dtype
    assert torch.equal(found, expected)
    gradient = torch.randn(6, 10).to(dtype)
    (ours,) = torch.autograd.grad(found, vectors, gradient)
    (theirs,) = torch.autograd.grad(expected, vectors, gradient)
    assert ours.dtype == torch.float32
    # Sums of four products, each rounded once or twice to the format.
    rounding = 8 * torch.finfo(dtype).eps
    torch.testing.assert_close(ours, theirs, atol=rounding, rtol=rounding)


def test_the_interaction_leaves_double_alone_under_autocast() -> None:
    vectors = torch.randn(3, 4, 4, dtype=torch.double, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.autograd.gradcheck(DotInteraction(4), vectors)


@pytest.mark.parametrize("with_sparse", [True, False])
def test_the_top_sees_interactions_the_bottom_and_on_demand_the_embeddings(
    with_sparse: bool,
) -> None:
    text = DLRM.replace("dlrm {", f"dlrm {{ arch_with_sparse: {str(with_sparse).lower()}")
    model = model_of(pipeline(text))
    first = next(model.get_submodule("final_mlp").parameters())
    assert first.shape[1] == 6 + (4 if with_sparse else 1) * 4
    assert model(batch_of(7))["probs"].shape == (7,)


def test_without_numbers_there_is_no_bottom() -> None:
    text = DLRM[DLRM.index('feature_groups { group_name: "sparse"') :]
    model = model_of(pipeline(text))
    assert not any(name.startswith("dense_mlp") for name, _ in model.named_parameters())
    assert model(batch_of(7))["probs"].shape == (7,)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[8, 4]",
            "[8]",
            r"^model_config\.dlrm\.dense_mlp\.hidden_units: ends in 8; must end in 4",
        ),
        (
            '["price", "age"]',
            '["price", "tag"]',
            r"feature_groups\[0\]\.feature_names\[1\]: \"tag\"",
        ),
        ('"tags.all", "tag"', '"tags.all", "age"', r"names\[2\]: \"age\" has no embedding"),
    ],
)
def test_features_that_do_not_fit_are_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        model_of(pipeline(DLRM.replace(old, new)))


def test_embeddings_of_different_sizes_are_refused() -> None:
    config = pipeline(DLRM, BCE)
    config.feature_configs[0].id_feature.embedding_dim = 8
    with pytest.raises(ConfigError, match=r'"tags\.all" has embedding_dim 4, "user" 8'):
        model_of(config)


@pytest.mark.parametrize("with_sparse", [True, False])
@pytest.mark.parametrize("with_dense", [True, False])
def test_the_output_is_that_of_the_formulas_of_dlrm(with_sparse: bool, with_dense: bool) -> None:
    text = DLRM.replace("dlrm {", f"dlrm {{ arch_with_sparse: {str(with_sparse).lower()}")
    if not with_dense:
        text = text[text.index('feature_groups { group_name: "sparse"') :]
        text = text.replace("dense_mlp { hidden_units: [8, 4] }", "")
    model, batch = model_of(pipeline(text)), batch_of(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
        logits = model(batch)["logits"].numpy()
    weights = {name: value.double().numpy() for name, value in model.state_dict().items()}
    user, kinds = (weights[f"embeddings.tables.t_{t}.weight"] for t in ("user", "type"))
    bags = batch.sparse["tags.all"]
    assert bags.offsets is not None
    ends = [*bags.offsets.tolist()[1:], len(bags.values)]

    def layers(prefix: str, values: np.ndarray, activate: bool = True) -> np.ndarray:
        for name in [n for n in weights if n.startswith(prefix) and n.endswith(".weight")]:
            values = weights[name] @ values + weights[name.replace(".weight", ".bias")]
            values = np.maximum(values, 0) if activate else values
        return values

    for row in range(7):
        bag = bags.values[bags.offsets[row] : ends[row]].numpy()
        vectors = [
            user[batch.sparse["user"].values[row]],
            kinds[bag].mean(0) if len(bag) else np.zeros(4),
            kinds[batch.sparse["tag"].values[row]],
        ]
        seen = vectors if with_sparse else []
        if with_dense:
            numbers = np.concatenate([batch.dense[n][row].numpy() for n in ("price", "age")])
            bottom = layers("dense_mlp.", numbers.astype(np.float64))
            vectors, seen = [bottom, *vectors], [bottom, *seen]
        pairs = [vectors[i] @ vectors[j] for i in range(len(vectors)) for j in range(i)]
        hidden = layers("final_mlp.", np.concatenate([pairs, *seen]))
        expected = layers("head.", hidden, activate=False)[0]
        assert logits[row] == pytest.approx(expected, rel=1e-4, abs=1e-5)
