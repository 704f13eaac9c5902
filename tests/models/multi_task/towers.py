"""What the tests of multi-task models share."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from raymon.data import Batch
from raymon.models import MultiTaskModel
from raymon.models.layers.task_tower import TaskTowers
from tests.models.pipelines import batch_of, model_of, pipeline

GROUP = """feature_groups { group_name: "all" group_type: DEEP
  feature_names: ["user", "price", "tag", "age"] }"""
TOWERS = """
  task_towers { tower_name: "ctr" label_name: "y" mlp { hidden_units: [6, 5] }
    losses { binary_cross_entropy {} } metrics { auc {} } }
  task_towers { tower_name: "cvr" label_name: "z" weight: 2
    losses { binary_cross_entropy {} } metrics { auc {} } }
  task_towers { tower_name: "time" label_name: "t" mlp { hidden_units: 4 }
    losses { l2_loss {} } metrics { mean_absolute_error {} } }
"""
DATA = 'label_fields: ["y", "z", "t"]'


def built(model: str, groups: str = GROUP, data: str = DATA) -> MultiTaskModel:
    made = model_of(pipeline(f"{groups} {model}", losses="", data=data))
    assert isinstance(made, MultiTaskModel)
    return made


def batch() -> Batch:
    return batch_of(9, labels=("y", "z", "t"))


def inputs_of(model: MultiTaskModel, rows: Batch, group: str = "all") -> Tensor:
    """The inputs of a group: numbers, then embeddings, in the order of its features."""
    inputs: Tensor = model.inputs(rows)[group]
    return inputs


def layers(mlp: nn.Module, x: Tensor) -> Tensor:
    """An MLP with ReLU, written out."""
    for layer in mlp.modules():
        if isinstance(layer, nn.Linear):
            x = (x @ layer.weight.T + layer.bias).clamp_min(0)
    return x


def linear(layer: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(layer, nn.Linear)
    return x @ layer.weight.T + layer.bias


def check_towers(model: MultiTaskModel, rows: Batch, hidden: list[Tensor]) -> None:
    """Checks the predictions of a model whose towers take what is given for each."""
    found, towers = model(rows), model.towers
    assert isinstance(towers, TaskTowers)
    check_predictions(towers, found, hidden)
    assert len(found) == 5


def check_predictions(
    towers: TaskTowers, found: Mapping[str, Tensor], hidden: list[Tensor]
) -> None:
    """Checks the predictions of towers over what goes into each."""
    for i, (name, x) in enumerate(zip(("ctr", "cvr", "time"), hidden, strict=True)):
        output = linear(towers.outputs[i], layers(towers.mlps[i], x)).squeeze(1)
        if name == "time":
            torch.testing.assert_close(found["y_time"], output)
        else:
            torch.testing.assert_close(found[f"logits_{name}"], output)
            torch.testing.assert_close(found[f"probs_{name}"], 1 / (1 + (-output).exp()))
