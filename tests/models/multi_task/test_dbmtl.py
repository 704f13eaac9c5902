from __future__ import annotations

import pytest
import torch

from raymon.models.layers.mask_net import MaskNetModule
from tests.models.multi_task.towers import batch, built, check_towers, inputs_of, layers, linear

TOWERS = """
  task_towers { tower_name: "ctr" mlp { hidden_units: [6, 5] } losses { binary_cross_entropy {} } }
  task_towers { tower_name: "cvr" mlp { hidden_units: 4 } losses { binary_cross_entropy {} }
    relation_tower_names: "ctr" relation_mlp { hidden_units: [3, 2] } }
  task_towers { tower_name: "time" losses { l2_loss {} } relation_tower_names: ["cvr", "ctr"]
    relation_mlp { hidden_units: 6 } }"""


@pytest.mark.parametrize("experts", [False, True])
def test_a_task_depends_on_the_tasks_that_it_names(experts: bool) -> None:
    mixture = "expert_mlp { hidden_units: 7 } gate_mlp { hidden_units: 3 }" if experts else ""
    model = built(f"dbmtl {{ bottom_mlp {{ hidden_units: 8 }} {mixture} {TOWERS} }}")
    rows = batch()
    x = layers(model.bottom, inputs_of(model, rows))
    inputs = [x, x, x]
    if experts:
        assert len(model.mixture.experts) == 3
        outputs = torch.stack([layers(expert, x) for expert in model.mixture.experts], 1)
        shares = [linear(g.scores, layers(g.mlp, x)).softmax(1) for g in model.mixture.gates]
        inputs = [(share.unsqueeze(2) * outputs).sum(1) for share in shares]
    ctr = layers(model.mlps[0], inputs[0])
    cvr = torch.cat([layers(model.mlps[1], inputs[1]), ctr], 1)
    cvr = layers(model.relations[1], cvr)
    time = layers(model.relations[2], torch.cat([inputs[2], cvr, ctr], 1))
    check_towers(model, rows, [ctr, cvr, time])
    # A tower without a label has the one at its place.
    assert [task.label for task in model.tasks] == ["y", "z", "t"]


def test_mask_blocks_come_before_the_shared_layers() -> None:
    mask = "mask_net { n_mask_blocks: 2 mask_block { hidden_dim: 4 } }"
    model, rows = built(f"dbmtl {{ {mask} {TOWERS} }}"), batch()
    assert isinstance(model.mask_net, MaskNetModule)
    x = model.mask_net(inputs_of(model, rows))
    assert x.shape == (9, 8)
    ctr = layers(model.mlps[0], x)
    cvr = layers(model.relations[1], torch.cat([layers(model.mlps[1], x), ctr], 1))
    time = layers(model.relations[2], torch.cat([x, cvr, ctr], 1))
    check_towers(model, rows, [ctr, cvr, time])
