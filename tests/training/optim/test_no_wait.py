"""What a step does with gradients and averages asks no device for a number.

Tensors on meta have no data, so whatever depends on data raises.
"""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from google.protobuf import text_format

from raymon.models import Model
from raymon.protos.optimizer_pb2 import EMA
from raymon.protos.train_pb2 import GradClippingConfig
from raymon.recorder import Recorder
from raymon.training.optim.averages import AveragedWeights
from raymon.training.optim.gradients import GradientClipper, GradientSummaries
from tests.models.pipelines import DEEPFM, DLRM, model_of, pipeline
from tests.training.optim.test_gradients import Measured

META = torch.device("meta")


@pytest.fixture(params=[DLRM, DEEPFM], ids=["dlrm", "deepfm"])
def model(request: pytest.FixtureRequest) -> Model:
    """A model on meta with gradients of all parameters."""
    made = model_of(pipeline(request.param)).to(META)
    for parameter in made.parameters():
        parameter.grad = torch.empty_like(parameter)
    return made


@pytest.mark.parametrize("kind", ["norm", "value"])
def test_gradients_are_clipped(model: Model, kind: str) -> None:
    text = f'clipping_type: "{kind}" max_gradient: 1.5'
    GradientClipper(text_format.Parse(text, GradClippingConfig()), model).clip()


def test_all_summaries_are_measured(model: Model) -> None:
    recorder: Any = Measured()
    wanted = ["parameter", "gradient", "gradient_norm", "global_gradient_norm"]
    GradientSummaries(wanted, model, cast(Recorder, recorder), META).measure()
    measured = [*recorder.norms.values()]
    measured += [tensor for counts in recorder.histograms.values() for tensor in counts.values()]
    assert {tensor.device for tensor in measured} == {META}
    assert set(recorder.histograms) >= {name for name, _ in model.named_parameters()}


def test_parameters_are_averaged(model: Model) -> None:
    averages = AveragedWeights(EMA(decay=0.9), model)
    for _ in range(3):
        averages.update()
    with averages.applied():
        pass
    assert {tensor.device for tensor in averages.tensors.values()} == {META}
