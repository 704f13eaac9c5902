"""The check of an exported program against its checkpoint."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import Tensor

from raymon.errors import ModelError
from raymon.protos.export_pb2 import TableFormat
from raymon.training.export import _largest_difference, _predictions, _store_tables
from tests.models.pipelines import batch_of, features_of, model_of, pipeline

ROWS = 4


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.full((ROWS,), math.nan), 'DLRM.predict returned "p" with NaN; export a checkpoint'),
        (torch.zeros(()), 'returned "p" as [] for a batch of 4 rows; a prediction has an entry'),
        (torch.zeros(3, 2), 'returned "p" as [3, 2] for a batch of 4 rows'),
    ],
)
def test_predictions_that_no_row_can_have_are_told(value: Tensor, message: str) -> None:
    model = model_of(pipeline())
    model.predict = lambda batch: {"p": value}
    with pytest.raises(ModelError, match=re.escape(message)):
        _predictions(model, batch_of(ROWS))


def test_the_difference_is_the_largest_of_all_and_relative_above_one() -> None:
    expected = {"p": torch.tensor([0.5, math.inf, 200.0, -math.inf]), "q": torch.arange(ROWS) > 1}
    assert _largest_difference(expected, expected) == 0
    found = {**expected, "p": torch.tensor([0.75, math.inf, 300.0, -math.inf])}
    assert _largest_difference(found, expected) == pytest.approx(0.5)
    found["p"][3] = 0
    assert not _largest_difference(found, expected) <= 1


def test_quantized_tables_of_a_model_without_tables_have_no_effect_and_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    config, model = pipeline(), model_of(pipeline())
    config.export_config.quantize_tables = TableFormat.INT8
    model.embeddings = torch.nn.Identity()
    tables, quantization = _store_tables(config, model, features_of(config), 0)
    assert tables == []
    assert quantization is not None
    assert quantization["metrics"] is None
    assert "quantize_tables: has no effect, as the model has no tables" in caplog.text
