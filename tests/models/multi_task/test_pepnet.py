from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from raymon.data import IdList
from raymon.errors import ConfigError
from raymon.models import PEPNet
from tests.models.multi_task.towers import (
    DATA,
    GROUP,
    TOWERS,
    batch,
    check_predictions,
    layers,
    linear,
)
from tests.models.pipelines import model_of, pipeline

DOMAIN = 'feature_groups { group_name: "domain" group_type: DEEP feature_names: "tags.all" }'
UIA = 'feature_groups { group_name: "uia" group_type: DEEP feature_names: ["user", "age"] }'


def pepnet(settings: str = "", groups: str = "") -> PEPNet:
    text = f"{GROUP} {groups} pepnet {{ {settings} {TOWERS} }}"
    model = model_of(pipeline(text, losses="", data=DATA))
    assert isinstance(model, PEPNet)
    return model


def gate(module: nn.Module, gamma: float, *inputs: Tensor) -> Tensor:
    first, _, second, _ = module.layers
    hidden = linear(first, torch.cat(inputs, 1)).clamp_min(0)
    return gamma / (1 + (-linear(second, hidden)).exp())


def test_gates_scale_the_features_and_the_layers() -> None:
    settings = "epnet_hidden_unit: 3 epnet_gamma: 4 ppnet_hidden_units: [7, 6] ppnet_gamma: 3"
    model, rows = pepnet(settings, DOMAIN + UIA), batch()
    inputs = model.inputs(rows)
    x = inputs["all"] * gate(model.feature_gate, 4, inputs["domain"], inputs["all"])
    assert model.feature_gate.layers[0].out_features == 3
    hidden = []
    for gated in model.gated:
        h = x
        for layer, own in zip(gated.layers, gated.gates, strict=True):
            h = layers(layer, h) * gate(own, 3, inputs["uia"], x)
        assert h.shape == (9, 6)
        hidden.append(h)
    check_predictions(model.towers[0], model(rows), hidden)


def test_without_its_groups_it_is_towers_over_the_main_group() -> None:
    model, rows = pepnet(), batch()
    x = model.inputs(rows)["all"]
    check_predictions(model.towers[0], model(rows), [x] * 3)
    model = pepnet("", DOMAIN)
    assert model.feature_gate is not None
    assert model.feature_gate.layers[0].out_features == x.shape[1]


def test_gates_do_not_train_what_they_scale() -> None:
    model, rows = pepnet("", DOMAIN), batch()
    x = model.inputs(rows)["all"].detach().requires_grad_()
    prior = model.inputs(rows)["domain"].detach()
    factors = model.feature_gate(prior, x)
    (x * factors).sum().backward()
    torch.testing.assert_close(x.grad, factors)


def test_a_domain_has_towers_of_its_own() -> None:
    model, rows = pepnet('domain_input_name: "tag" task_domain_num: 20'), batch()
    x, found = model.inputs(rows)["all"], model(rows)
    for place, towers in enumerate(model.towers):
        of_domain = {
            n.removesuffix(f"_{place}"): t for n, t in found.items() if n.endswith(f"_{place}")
        }
        check_predictions(towers, of_domain, [x] * 3)
    domain = rows.sparse["tag"].values
    for name in ("logits_ctr", "probs_cvr", "y_time"):
        expected = [found[f"{name}_{d}"][i] for i, d in enumerate(domain.tolist())]
        torch.testing.assert_close(found[name], torch.stack(expected))
    # Towers of domains that no row has take part in the step too.
    torch.stack(list(model.loss(found, rows).values())).sum().backward()
    assert all(parameter.grad is not None for parameter in model.towers.parameters())


def test_a_row_without_a_domain_is_of_the_first() -> None:
    model, rows = pepnet('domain_input_name: "tag" task_domain_num: 20'), batch()
    offsets = torch.tensor([0, 0, 1, 2, 3, 4, 5, 6, 7])
    rows.sparse["tag"] = IdList(torch.tensor([3, 4, 5, 6, 7, 8, 9]), offsets)
    found = model(rows)
    for row, domain in enumerate([0, 3, 4, 5, 6, 7, 8, 9, 0]):
        assert found["y_time"][row] == found[f"y_time_{domain}"][row]


def test_a_domain_that_is_not_one_of_the_towers_is_refused() -> None:
    for name, count in (("tag", 19), ("price", 20)):
        with pytest.raises(
            ConfigError, match=r"pepnet\.domain_input_name: .* must be an id_feature"
        ):
            pepnet(f'domain_input_name: "{name}" task_domain_num: {count}')
