"""MultiTower and MultiTowerDIN against formulas, on positions that are looked up."""

from __future__ import annotations

import pytest
import torch
from google.protobuf import text_format
from torch import Tensor

from raymon.data import Batch, IdList, Positions, build_features
from raymon.errors import ConfigError
from raymon.models import Model, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig

FEATURES = """
  feature_configs { id_feature { feature_name: "item" expression: "item:i" num_buckets: 9
    embedding_dim: 2 embedding_name: "items" } }
  feature_configs { raw_feature { feature_name: "price" expression: "item:p" } }
  feature_configs { sequence_feature { sequence_name: "seq"
    features { id_feature { feature_name: "item" expression: "item:i" num_buckets: 9
      embedding_dim: 2 embedding_name: "items" } }
    features { id_feature { feature_name: "tags" expression: "item:t" num_buckets: 5
      value_dim: 0 pooling: "mean" embedding_dim: 3 } }
    features { raw_feature { feature_name: "price" expression: "item:p" } } } }
"""
POSITIONS = '"seq__item", "seq__price", "seq__tags"'
DIN = f"""
  feature_groups {{ group_name: "deep" group_type: DEEP feature_names: ["item", "price"] }}
  feature_groups {{ group_name: "seq" group_type: SEQUENCE
    feature_names: ["item", "price", {POSITIONS}] }}
  multi_tower_din {{ towers {{ input: "deep" mlp {{ hidden_units: 3 }} }}
    din_towers {{ input: "seq" attn_mlp {{ hidden_units: 4 }} }} final {{ hidden_units: 5 }} }}"""
TOWERS = f"""
  feature_groups {{ group_name: "deep" group_type: DEEP feature_names: ["price"]
    sequence_groups {{ feature_names: [{POSITIONS}] }}
    sequence_encoders {{ pooling_encoder {{ pooling_type: "sum" }} }} }}
  multi_tower {{ towers {{ input: "deep" mlp {{ hidden_units: 3 }} }} }}"""


def model_of(model: str) -> Model:
    config = text_format.Parse(
        f"""train_input_path: "in" model_dir: "out" train_config {{ num_steps: 1 }}
        data_config {{ label_fields: "y" }} {FEATURES}
        model_config {{ {model} losses {{ binary_cross_entropy {{}} }} }}""",
        PipelineConfig(),
    )
    torch.manual_seed(0)
    return build_model(config, build_features(config.feature_configs))


def batch_of() -> Batch:
    """Returns three rows of 2, 0 and 1 positions, with 1, 2 and no tags."""
    offsets = torch.tensor([0, 2, 2])
    tags = IdList(torch.tensor([4, 1, 2]), torch.tensor([0, 1, 3]))
    return Batch(
        size=3,
        dense={"price": torch.tensor([[0.1], [0.2], [0.3]])},
        sparse={"item": IdList(torch.tensor([3, 8, 0]))},
        labels={"y": torch.tensor([0.0, 1.0, 1.0])},
        sequences={
            "seq__item": Positions(offsets, 2, IdList(torch.tensor([3, 5, 7]))),
            "seq__tags": Positions(offsets, 2, tags),
            "seq__price": Positions(offsets, 2, numbers=torch.tensor([[0.5], [1.5], [2.5]])),
        },
    )


def positions_of(model: Model) -> Tensor:
    tables = {table.weight.shape[0]: table.weight for table in model.sparse_tables()}
    items, tags = tables[9], tables[5]
    rows = [
        (items[3], 0.5, tags[4]),
        (items[5], 1.5, (tags[1] + tags[2]) / 2),
        (items[7], 2.5, torch.zeros(3)),
    ]
    return torch.stack([torch.cat([i, torch.tensor([p]), t]) for i, p, t in rows])


def test_din_is_an_mlp_of_towers_and_attended_positions() -> None:
    model, batch = model_of(DIN), batch_of()
    (items,) = [t.weight for t in model.sparse_tables() if len(t.weight) == 9]
    positions, price = positions_of(model), batch.dense["price"]
    ids = batch.sparse["item"].values
    # Numbers of a group of type DEEP come before its embeddings.
    (tower,), (attention,) = model.towers, model.din_towers
    deep = torch.relu(tower.layers[0](torch.cat([price, items[ids]], 1)))
    query = torch.cat([items[ids], price, torch.zeros(3, 3)], 1)
    attended = []
    for row, own in enumerate((positions[:2], positions[2:2], positions[2:])):
        q = query[row].expand(len(own), 6)
        hidden = torch.relu(attention.mlp.layers[0](torch.cat([q, own, q - own, q * own], 1)))
        attended.append((attention.linear(hidden).softmax(0) * own).sum(0))
    both = torch.cat([deep, torch.stack(attended)], 1)
    hidden = torch.relu(model.final_mlp.layers[0](both))
    expected = model.head.outputs[0](hidden).squeeze(1)
    torch.testing.assert_close(model.predict(batch)["logits"], expected)


def test_towers_take_the_features_of_a_group_and_then_its_encoded_sequences() -> None:
    model, batch = model_of(TOWERS), batch_of()
    positions = positions_of(model)
    sums = torch.stack([positions[:2].sum(0), torch.zeros(6), positions[2]])
    inputs = torch.cat([batch.dense["price"], sums], 1)
    (tower,) = model.towers
    expected = model.head.outputs[0](torch.relu(tower.layers[0](inputs))).squeeze(1)
    torch.testing.assert_close(model.predict(batch)["logits"], expected)


def test_the_table_of_rows_and_positions_has_the_gradients_of_both() -> None:
    # Wide layers, in which some unit is not dead for each row.
    model = model_of(DIN.replace("hidden_units: 3", "hidden_units: 32").replace(": 5", ": 32"))
    losses = model.loss(model.predict(batch_of()), batch_of())
    sum(losses.values()).backward()
    (items,) = [t.weight for t in model.sparse_tables() if len(t.weight) == 9]
    touched = items.grad.abs().sum(1).nonzero().squeeze(1).tolist()
    assert touched == [0, 3, 5, 7, 8]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            DIN.replace(f", {POSITIONS}", ""),
            r'model_config.feature_groups\[1\].feature_names: group "seq" has no feature of a seq',
        ),
        (
            DIN.replace('"item", "price", "seq__item"', '"seq__item"'),
            r'feature_groups\[1\].feature_names: group "seq" has no feature but those of the seq',
        ),
        (
            DIN.replace(f'"price", {POSITIONS}', '"price", "seq__item"'),
            r'the query of group "seq" has 3 numbers and a position 2; .*at most as many',
        ),
        (
            TOWERS.replace('["price"]', '["price", "seq__item"]'),
            r'feature_groups\[0\].feature_names\[1\]: "seq__item" has positions; list it in',
        ),
        (
            TOWERS.replace('pooling_encoder { pooling_type: "sum" }', "simple_attention {}"),
            r"no feature but those of the sequence, and .*sequence_encoders\[0\].simple_attention",
        ),
    ],
)
def test_groups_that_an_encoder_cannot_take_are_told(model: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        model_of(model)
