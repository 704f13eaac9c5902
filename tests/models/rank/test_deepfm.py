from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from raymon.data import Batch
from raymon.errors import ConfigError
from raymon.models import Model
from raymon.models.rank.deepfm import second_order
from tests.models.pipelines import BCE_OF_TWO, DEEPFM, batch_of, model_of, pipeline


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


WITHOUT_FINAL = DEEPFM.replace("final { hidden_units: [8] }", "")
_FM, _DEEP = (WITHOUT_FINAL.index(f'feature_groups {{ group_name: "{g}"') for g in ("fm", "deep"))
WITHOUT_FM = (WITHOUT_FINAL[:_FM] + WITHOUT_FINAL[_DEEP:]).replace('"price", "age"', '"tag"')


def by_hand(model: Model, batch: Batch, fm: list[str], deep: list[str]) -> np.ndarray:
    """Returns the logits of every row by the formulas of DeepFM, from the weights, in numpy."""
    weights = {name: value.double().numpy() for name, value in model.state_dict().items()}

    def layers(prefix: str, values: np.ndarray, *, last: bool = False) -> np.ndarray:
        for name in [n for n in weights if n.startswith(prefix) and n.endswith(".weight")]:
            values = weights[name] @ values + weights[name.replace(".weight", ".bias")]
            values = values if last else np.maximum(values, 0)
        return values

    def embedded(part: str, row: int) -> dict[str, np.ndarray]:
        user, tag = (weights[f"{part}.tables.t_{table}.weight"] for table in ("user", "type"))
        bags = batch.sparse["tags.all"]
        starts = bags.offsets.tolist()
        bag = bags.values[starts[row] : [*starts, None][row + 1]].numpy()
        return {
            "user": user[batch.sparse["user"].values[row]],
            "tag": tag[batch.sparse["tag"].values[row]],
            "tags.all": tag[bag].mean(0) if len(bag) else np.zeros(4),
        }

    logits = []
    for row in range(batch.size):
        wide, vectors = embedded("wide_embeddings", row), embedded("embeddings", row)
        numbers = {name: batch.dense[name][row].double().numpy() for name in batch.dense}
        wide_sum = wide["user"].sum() + wide["tag"].sum()
        pairs = sum(vectors[a] * vectors[b] for a, b in itertools.combinations(fm, 2))
        # Numbers come before embeddings.
        inputs = [values[n] for values in (numbers, vectors) for n in deep if n in values]
        hidden = layers("deep_mlp.", np.concatenate(inputs))
        if any(name.startswith("final_mlp.") for name in weights):
            hidden = layers("final_mlp.", np.concatenate([[wide_sum], pairs, hidden]))
            logits.append(layers("head.", hidden, last=True)[0])
        else:
            logits.append(wide_sum + pairs.sum() + layers("head.", hidden, last=True)[0])
    return np.array(logits)


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        (DEEPFM, ["user", "tags.all", "price", "age"]),
        (WITHOUT_FINAL, ["user", "tags.all", "price", "age"]),
        (WITHOUT_FM, ["user", "tags.all", "tag"]),
    ],
    ids=["final", "without_final", "without_fm"],
)
def test_the_output_is_that_of_the_formulas_of_deepfm(text: str, deep: list[str]) -> None:
    model, batch = model_of(pipeline(text)), batch_of(9)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
        logits = model(batch)["logits"].numpy()
    fm = deep if text is WITHOUT_FM else ["user", "tags.all", "tag"]
    np.testing.assert_allclose(logits, by_hand(model, batch, fm, deep), rtol=1e-4, atol=1e-5)
    assert np.ptp(logits) > 0.1


def test_without_a_group_fm_the_embeddings_of_deep_are_of_one_size() -> None:
    text = WITHOUT_FM.replace('"tags.all", "tag"]', '"tags.all", "price"]')
    with pytest.raises(ConfigError, match='"price" has no embedding; group "deep"'):
        model_of(pipeline(text))


@pytest.mark.parametrize("text", [DEEPFM, WITHOUT_FINAL], ids=["final", "without_final"])
def test_every_label_has_an_output_of_its_own(text: str) -> None:
    data = 'label_fields: ["y", "z"]'
    model, batch = model_of(pipeline(text, BCE_OF_TWO, data)), batch_of(6)
    predictions = model(batch)
    assert set(predictions) == {"logits_y", "logits_z", "probs_y", "probs_z"}
    assert not torch.equal(predictions["probs_y"], predictions["probs_z"])


def test_numbers_without_boundaries_are_refused_in_the_wide_group() -> None:
    text = DEEPFM.replace('["user", "tag"] group_type: WIDE', '["user", "age"] group_type: WIDE')
    with pytest.raises(ConfigError, match='"age" has no embedding; group "wide"'):
        model_of(pipeline(text))
