from __future__ import annotations

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from raymon.data import LabelKind
from raymon.errors import ConfigError
from raymon.models.losses import label_kinds, row_losses, weighted_mean
from raymon.protos.loss_pb2 import LossConfig
from tests.models.pipelines import pipeline

LOGITS = np.array([-2.0, 0.0, 0.5, 3.0])
BINARY = np.array([0.0, 1.0, 1.0, 0.0])


def loss(text: str, output: np.ndarray, label: np.ndarray) -> np.ndarray:
    config = text_format.Parse(text, LossConfig())
    return row_losses(config, torch.tensor(output), torch.tensor(label).float()).numpy()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_binary_cross_entropy_is_its_definition(smoothing: float) -> None:
    p = 1 / (1 + np.exp(-LOGITS))
    y = BINARY * (1 - smoothing) + smoothing / 2
    expected = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    text = f"binary_cross_entropy {{ label_smoothing: {smoothing} }}"
    np.testing.assert_allclose(loss(text, LOGITS, BINARY), expected, rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_softmax_cross_entropy_is_its_definition(smoothing: float) -> None:
    logits = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 0.0]])
    label = np.array([1, 2])
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    target = (1 - smoothing) * np.eye(3)[label] + smoothing / 3
    text = f"softmax_cross_entropy {{ label_smoothing: {smoothing} }}"
    expected = -(target * np.log(p)).sum(1)
    np.testing.assert_allclose(loss(text, logits, label), expected, rtol=1e-6)


def test_l2_loss_is_the_squared_difference() -> None:
    np.testing.assert_allclose(loss("l2_loss {}", LOGITS, BINARY), (LOGITS - BINARY) ** 2)


@pytest.mark.parametrize("text", ["binary_cross_entropy {}", "l2_loss {}"])
def test_losses_of_half_precision_outputs_are_float32_under_autocast(text: str) -> None:
    config = text_format.Parse(text, LossConfig())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rows = row_losses(config, torch.zeros(3, dtype=torch.bfloat16), torch.ones(3))
    assert rows.dtype == torch.float32


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 10)), min_size=1, max_size=20))
def test_the_mean_is_weighted_over_the_rows(rows: list[tuple[float, float]]) -> None:
    values, weights = (torch.tensor(column) for column in zip(*rows, strict=True))
    if weights.sum() < 1e-3:
        return
    expected = np.average(values.double().numpy(), weights=weights.double().numpy())
    assert weighted_mean(values, weights).item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_rows_that_are_none_or_weigh_nothing_have_no_loss() -> None:
    assert weighted_mean(torch.empty(0), None) == 0
    assert weighted_mean(torch.empty(0), torch.empty(0)) == 0
    assert weighted_mean(torch.ones(2), torch.zeros(2)) == 0


def test_the_kind_of_a_label_follows_from_its_losses() -> None:
    losses = """losses { binary_cross_entropy {} label_name: "a" }
      losses { softmax_cross_entropy {} label_name: "b" } losses { l2_loss {} label_name: "c" }"""
    config = pipeline(losses=losses, data='label_fields: ["a", "b", "c", "d"]')
    named = {"a": LabelKind.BINARY, "b": LabelKind.CLASS, "c": LabelKind.REAL}
    assert label_kinds(config) == named
    # A custom model may have a custom loss for any label.
    config.model_config.custom.class_path = "package.module:Class"
    assert label_kinds(config) == {**named, "d": LabelKind.REAL}


def test_losses_that_want_different_things_of_a_label_are_refused() -> None:
    config = pipeline(losses="losses { binary_cross_entropy {} } losses { l2_loss {} }")
    with pytest.raises(ConfigError, match=r"^model_config\.losses\[1\]: l2_loss wants label y"):
        label_kinds(config)
