"""The light network of Rocket Launching learns from the booster, and predicts alone."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from raymon.models import Model
from tests.models.pipelines import batch_of, model_of, pipeline
from tests.models.rank_models import RANK_MODELS

TEXT = RANK_MODELS["rocket_launching"]
DATA = 'label_fields: "y"'
WEIGHTED = DATA + ' sample_weight_fields: "w"'
METRICS = """losses { binary_cross_entropy {} } metrics { auc {} }
  train_metrics { auc {} decay_step: 2 }"""


def hidden(model: Model, name: str, inputs: Tensor) -> list[Tensor]:
    outputs, parts = [], list(model.get_submodule(f"{name}.layers"))
    for linear, activation in zip(parts[::2], parts[1::2], strict=True):
        inputs = activation(linear(inputs))
        outputs.append(inputs)
    return outputs


@pytest.mark.parametrize("function", ["COSINE", "EUCLID"])
@pytest.mark.parametrize("data", [DATA, WEIGHTED], ids=["plain", "weighted"])
def test_losses_are_those_of_both_networks_and_of_what_they_have_alike(
    function: str, data: str
) -> None:
    text = TEXT.replace("tion: true", f"tion: true feature_distillation_function: {function}")
    model, batch = model_of(pipeline(text, data=data)), batch_of(9)
    losses = model.loss(model(batch), batch)
    weights = batch.weights["w"] if data is WEIGHTED else torch.ones(9)

    def mean(rows: Tensor) -> Tensor:
        return (weights * rows).sum() / weights.sum()

    shared = model.get_submodule("share_mlp")(model.get_submodule("inputs")(batch)["all"])
    light, booster = (hidden(model, name, shared) for name in ("light_mlp", "booster_mlp"))
    logits = {
        name: model.get_submodule(f"{name}_head.outputs.0")(outputs[-1]).squeeze(1)
        for name, outputs in (("light", light), ("booster", booster))
    }
    expected = {
        f"binary_cross_entropy_{name}": mean(
            F.binary_cross_entropy_with_logits(value, batch.labels["y"], reduction="none")
        )
        for name, value in logits.items()
    }
    # The light network has 8 and 4 units, the booster 8, 8 and 4: the first of a size counts.
    for i, j in ((0, 0), (1, 2)):
        if function == "COSINE":
            alike = -0.1 * F.cosine_similarity(light[i], booster[j], dim=1)
        else:
            alike = (light[i] - booster[j]).square().sum(1).sqrt()
        expected[f"similarity_{i}_{j}"] = mean(alike)
    expected["hint_l2_loss"] = mean((logits["light"] - logits["booster"]).square())
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, msg=name)
    of_batch = model.batch_weight(batch)
    if data is WEIGHTED:
        assert isinstance(of_batch, dict)
        assert {name: float(w) for name, w in of_batch.items()} == dict.fromkeys(
            losses, pytest.approx(float(weights.sum()))
        )
    else:
        assert of_batch == 9


def test_the_light_network_moves_nothing_but_itself() -> None:
    model, batch = model_of(pipeline(TEXT)), batch_of(9)
    losses = model.loss(model(batch), batch)
    del losses["binary_cross_entropy_booster"]
    torch.stack(list(losses.values())).sum().backward()
    moved = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert moved == {"light_mlp", "light_head"}


def test_only_the_light_network_is_evaluated() -> None:
    model, batch = model_of(pipeline(TEXT, METRICS)), batch_of(40)
    model.init_metric()
    predictions = model(batch)
    model.update_train_metric(predictions, batch)
    assert set(model.train_metrics) == {"auc_booster", "auc_light"}
    model.eval()
    predictions = model(batch)
    assert set(predictions) == {"logits_light", "probs_light"}
    assert set(model.loss(predictions, batch)) == {"binary_cross_entropy_light"}
    model.update_metric(predictions, batch)
    assert set(model.compute_metric()) == {"auc_light"}
