"""Programs of models: for any number of rows and ids they predict what the model predicts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from google.protobuf import text_format

from raymon.data import Batch, IdList, build_features
from raymon.errors import RunError
from raymon.models import Model, build_model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.serving import export_program, program_inputs
from tests.models.pipelines import DEEPFM, DLRM, batch_of, features_of, model_of, pipeline

CLASSES = "num_class: 3 losses { softmax_cross_entropy {} }"


@pytest.mark.parametrize("text", [DLRM, DEEPFM])
@pytest.mark.parametrize("losses", ["losses { binary_cross_entropy {} }", CLASSES])
def test_a_program_predicts_what_its_model_predicts(text: str, losses: str, tmp_path: Path) -> None:
    config = pipeline(text, losses)
    model, features = model_of(config).eval(), features_of(config)
    torch.export.save(export_program(model, features), tmp_path / "model.pt2")
    program = torch.export.load(tmp_path / "model.pt2").module()
    for size in (1, 2, 7, 300):
        batch = batch_of(size, seed=size)
        assert_same(program(*program_inputs(batch, features)), model, batch)
    nothing = batch_of(4)
    nothing.sparse["tags.all"] = IdList(torch.zeros(0, dtype=torch.int64), torch.zeros(4).long())
    assert_same(program(*program_inputs(nothing, features)), model, nothing)


def assert_same(found: dict[str, torch.Tensor], model: Model, batch: Batch) -> None:
    expected = model.predict(batch)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, msg=name)


def test_weights_of_ids_are_inputs_too() -> None:
    text = """train_input_path: "in" model_dir: "out" train_config { num_steps: 1 }
      data_config { label_fields: "y" }
      feature_configs { id_feature { feature_name: "w" expression: "user:w" num_buckets: 50
        embedding_dim: 4 weighted: true separator: "|" } }
      feature_configs { id_feature { feature_name: "u" expression: "user:u" num_buckets: 50
        embedding_dim: 4 } }
      model_config {
        feature_groups { group_name: "sparse" feature_names: ["w", "u"] group_type: DEEP }
        dlrm { dense_mlp { hidden_units: [8, 4] } final { hidden_units: [16] } }
        losses { binary_cross_entropy {} } }"""
    config = text_format.Parse(text, PipelineConfig())
    features = build_features(config.feature_configs)
    model = build_model(config, features).eval()
    program = export_program(model, features).module()
    ids, starts = torch.tensor([3, 4, 5, 6]), torch.tensor([0, 1, 1])
    for weights in (torch.tensor([0.5, 2, -1, 3]), None):
        weighted = IdList(ids, starts, weights)
        batch = Batch(size=3, sparse={"w": weighted, "u": IdList(torch.tensor([1, 2, 3]))})
        assert_same(program(*program_inputs(batch, features)), model, batch)


class Stubborn(torch.nn.Module):
    def predict(self, batch: Batch) -> dict[str, torch.Tensor]:
        if batch.dense["price"].sum() > 0:
            return {"probs": batch.dense["price"][:, 0]}
        return {"probs": batch.dense["age"][:, 0]}


def test_a_model_that_cannot_be_followed_is_reported_in_one_line() -> None:
    with pytest.raises(RunError, match=r"^the model cannot be exported: torch.export: ") as error:
        export_program(Stubborn(), features_of(pipeline()))
    assert "\n" not in str(error.value)
