"""Tables as exports store them: split ones to the bit, quantized ones within half a scale."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from raymon.data import EmbeddingSpec, IdList
from raymon.embeddings import EmbeddingCollection, EmbeddingTable
from raymon.errors import RunError
from raymon.protos.export_pb2 import TableFormat
from raymon.serving import (
    StoredTable,
    export_program,
    program_inputs,
    quantized_rows,
    store_tables,
)
from tests.models.pipelines import DEEPFM, DLRM, batch_of, features_of, model_of, pipeline

ROWS, DIM = 37, 5
LARGE = 1 << 40


def stored(
    weight: torch.Tensor, quantize: TableFormat | None = None, part_bytes: int = LARGE
) -> nn.Module:
    """Returns a table as it is stored."""
    model = EmbeddingCollection({"f": EmbeddingSpec("t", *weight.shape)})
    with torch.no_grad():
        model.tables["t_t"].weight.copy_(weight)
    store_tables(model, quantize, part_bytes)
    return model.tables["t_t"]


def id_lists() -> list[tuple[IdList, str]]:
    """Returns ids with repetitions, rows without ids, and all ways to pool them."""
    ids = torch.tensor([36, 0, 9, 9, 10, 19, 20, 1, 35])
    starts, weights = torch.tensor([0, 2, 2, 5, 8, 9]), torch.linspace(-1, 2, len(ids))
    nothing = torch.zeros(0, dtype=torch.int64)
    return [
        (IdList(ids), "sum"),
        (IdList(ids, starts), "sum"),
        (IdList(ids, starts), "mean"),
        (IdList(ids, starts, weights), "sum"),
        (IdList(ids, None, weights), "sum"),
        (IdList(nothing, torch.zeros(3, dtype=torch.int64)), "mean"),
        (IdList(nothing, torch.zeros(3, dtype=torch.int64), torch.zeros(0)), "sum"),
    ]


@pytest.mark.parametrize("rows_a_part", [1, 10, 18, 36])
def test_a_split_table_pools_to_the_bit_as_the_whole_one(rows_a_part: int) -> None:
    weight = torch.randn(ROWS, DIM, generator=torch.Generator().manual_seed(1))
    whole, split = stored(weight), stored(weight, part_bytes=rows_a_part * DIM * 4 + 3)
    assert isinstance(whole, EmbeddingTable)
    assert isinstance(split, StoredTable)
    assert len(split.parts) == math.ceil(ROWS / rows_a_part)
    assert torch.equal(split.weight, weight)
    with torch.inference_mode():
        for ids, pooling in id_lists():
            assert torch.equal(split(ids, pooling), whole(ids, pooling))


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 4)),
        elements=st.floats(-(2.0**127), 2.0**127, width=32),
    )
)
def test_int8_is_off_by_half_the_scale_of_the_row_at_most(rows: np.ndarray) -> None:
    codes, scales = (each.numpy() for each in quantized_rows(torch.from_numpy(rows)))
    assert (codes.dtype, scales.dtype) == (np.int8, np.float32)
    exact = rows.astype(np.float64)
    scale = scales.astype(np.float64)[:, None]
    largest = np.abs(exact).max(1, keepdims=True)
    # Of a row of zeros, and of numbers that float32 has few bits for, the scale is the smallest.
    np.testing.assert_allclose(scale, np.maximum(largest / 127, 2.0**-126), rtol=1e-7)
    assert (np.abs(codes * scale - exact) <= scale / 2 * (1 + 1e-5)).all()
    assert (np.abs(codes.astype(int)) <= 127).all()


@pytest.mark.parametrize("rows_a_part", [10, ROWS])
def test_quantized_tables_look_up_what_numpy_quantizes(rows_a_part: int) -> None:
    weight = torch.randn(ROWS, DIM, generator=torch.Generator().manual_seed(2))
    weight[7] = 0
    exact = weight.numpy()
    scale = (np.abs(exact).max(1, keepdims=True) / np.float32(127)).astype(np.float32)
    scale[7] = 1
    int8 = np.rint(exact.astype(np.float64) / scale).astype(np.float32) * scale
    for quantize, expected, row_bytes in (
        (TableFormat.INT8, int8, DIM + 4),
        (TableFormat.FP16, exact.astype(np.float16).astype(np.float32), 2 * DIM),
    ):
        table = stored(weight, quantize, rows_a_part * row_bytes)
        assert isinstance(table, StoredTable)
        assert len(table.parts) == math.ceil(ROWS / rows_a_part)
        assert torch.equal(table.weight, torch.from_numpy(expected))
        as_if = stored(torch.from_numpy(expected))
        with torch.inference_mode():
            for ids, pooling in id_lists():
                assert torch.equal(table(ids, pooling), as_if(ids, pooling))


@pytest.mark.parametrize(
    ("text", "quantize"), [(DLRM, None), (DEEPFM, TableFormat.INT8), (DLRM, TableFormat.FP16)]
)
def test_a_program_of_stored_tables_predicts_what_its_model_predicts(
    text: str, quantize: TableFormat | None
) -> None:
    config = pipeline(text)
    features, model, original = features_of(config), model_of(config).eval(), model_of(config)
    infos = store_tables(model, quantize, 100)
    assert {info.name: (info.rows, info.dim) for info in infos} == {
        name: tuple(module.weight.shape)
        for name, module in original.named_modules()
        if isinstance(module, EmbeddingTable)
    }
    assert all(info.parts > 1 for info in infos)
    program = export_program(model, features).module()
    with torch.inference_mode():
        for size in (1, 7, 300):
            batch = batch_of(size, seed=size)
            found = program(*program_inputs(batch, features))
            trained = original.eval().predict(batch)
            for name, expected in model.predict(batch).items():
                assert torch.equal(found[name], expected)
                assert torch.equal(expected, trained[name]) == (quantize is None)
                torch.testing.assert_close(expected, trained[name], atol=0.01, rtol=0)


def test_a_table_at_two_places_is_stored_once() -> None:
    model = nn.ModuleDict({"a": EmbeddingTable(9, 2, True)})
    model["b"] = model["a"]
    (info,) = store_tables(model, TableFormat.INT8, LARGE)
    assert model["a"] is model["b"]
    assert (info.name, info.format, info.parts, info.bytes) == ("a", "INT8", 1, 9 * 6)
    assert store_tables(nn.Linear(2, 2), TableFormat.INT8, LARGE) == []


@pytest.mark.parametrize(
    ("quantize", "number", "message"),
    [
        (TableFormat.INT8, math.nan, "row 30 has nan; .*quantize_tables: INT8 takes finite"),
        (TableFormat.FP16, 70_000.0, "row 30 has 70000; .*FP16 takes numbers from -65504"),
        (TableFormat.FP16, -math.inf, "row 30 has -inf; .*FP16 takes numbers from -65504"),
    ],
)
def test_a_number_that_a_format_cannot_hold_is_named_with_its_row(
    quantize: TableFormat, number: float, message: str
) -> None:
    weight = torch.zeros(ROWS, DIM)
    weight[30, 2] = number
    with pytest.raises(RunError, match=rf"^tables\.t_t: {message}"):
        stored(weight, quantize, 100)
