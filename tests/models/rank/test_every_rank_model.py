"""What holds of every rank model."""

from __future__ import annotations

import pytest
import torch

from raymon.models import Model
from raymon.serving.program import export_program, program_inputs
from tests.models.pipelines import BCE_OF_TWO, batch_of, features_of, model_of, pipeline
from tests.models.rank_models import RANK_MODELS

SHAPES = pytest.mark.parametrize("text", RANK_MODELS.values(), ids=RANK_MODELS)


def trained_on(model: Model, rows: int) -> None:
    labels = tuple(model.labels)
    batch = batch_of(rows, labels=labels)
    losses = model.loss(model(batch), batch)
    torch.stack(list(losses.values())).sum().backward()


@SHAPES
def test_the_gradient_reaches_every_parameter(text: str) -> None:
    model = model_of(pipeline(text))
    trained_on(model, 64)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


@SHAPES
@pytest.mark.parametrize("rows", [0, 1])
def test_a_batch_may_have_one_row_or_none(text: str, rows: int) -> None:
    model = model_of(pipeline(text))
    trained_on(model, rows)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@SHAPES
def test_every_label_has_an_output_of_its_own(text: str) -> None:
    model = model_of(pipeline(text, BCE_OF_TWO, 'label_fields: ["y", "z"]'))
    predictions = model.eval()(batch_of(6))
    light = "_light" if "rocket" in text else ""
    assert set(predictions) == {
        f"{name}_{label}{light}" for name in ("logits", "probs") for label in ("y", "z")
    }
    assert not torch.equal(predictions[f"probs_y{light}"], predictions[f"probs_z{light}"])


@SHAPES
def test_a_program_of_it_predicts_the_same(text: str) -> None:
    config = pipeline(text)
    model = model_of(config).eval()
    features = features_of(config)
    program = export_program(model, features)
    for rows in (1, 9):
        batch = batch_of(rows)
        found = program.module()(*program_inputs(batch, features))
        with torch.no_grad():
            expected = model(batch)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value)
