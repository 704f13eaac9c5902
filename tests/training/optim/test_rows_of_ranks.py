"""Rows of tables follow the formulas, on one rank and on several."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from tests.forked import run_ranks
from tests.training.optim.rows_of_rank import CASES, DIM, STEPS, USED, global_batches, main, train
from tests.training.optim.test_row_optimizers import KINDS, Kept, trained, weight

Values = npt.NDArray[np.float64]
Rows = dict[tuple[str, int, str, str], Tensor]

TYPES = {"FP32": torch.float32, "FP16": torch.float16, "BF16": torch.bfloat16}


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[Rows]:
    """Returns what each of three ranks ends with."""
    folder = tmp_path_factory.mktemp("ranks")
    outs = [folder / str(rank) for rank in range(3)]
    run_ranks(main, [(rank, 3, f"{folder}/store", out) for rank, out in enumerate(outs)])
    return [torch.load(out) for out in outs]


def expected_rows(text: str, pooling: str, size: int) -> Values:
    """Returns the rows after all steps by the formulas, in float64."""
    rule, initial = KINDS[text]
    rows = weight(trained(text, size, DIM)[0])[:USED].double().numpy().copy()
    kept = [Kept(DIM, initial) for _ in range(USED)]
    for step, batch in enumerate(global_batches(), 1):
        sums: dict[int, Values] = {}
        for number, ids in enumerate(batch.lists):
            of_list, of_id = batch.gradients[number].double().numpy()
            for place, row in enumerate(ids):
                factor = 1.0
                if pooling == "weighted":
                    factor = batch.weights[number][place]
                elif pooling == "mean":
                    factor = 1 / len(ids)
                sums[row] = sums.get(row, np.zeros(DIM)) + factor * of_list
            row = batch.ids[number]
            sums[row] = sums.get(row, np.zeros(DIM)) + of_id
        for row, total in sums.items():
            rows[row] = rule(rows[row], total, kept[row], step)
    return rows


@pytest.mark.parametrize(("text", "size", "pooling", "data_type"), CASES)
def test_rows_are_those_of_the_formulas_on_one_rank_and_on_three(
    ranks: list[Rows], text: str, size: int, pooling: str, data_type: str
) -> None:
    expected = torch.from_numpy(expected_rows(text, pooling, size)).float()
    alone = train(text, size, pooling, data_type, 0, 1)
    first, *others = [rows[text, size, pooling, data_type] for rows in ranks]
    assert all(torch.equal(other, first) for other in others)
    assert alone.dtype == first.dtype == TYPES[data_type]
    if data_type == "FP32":
        torch.testing.assert_close(alone, expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(first, alone, rtol=1e-5, atol=1e-5)
        return
    # Each of 50 steps rounds a row, and may round it to the other neighbour.
    error = STEPS * torch.finfo(TYPES[data_type]).eps
    largest = float(expected.abs().max())
    torch.testing.assert_close(alone.float(), expected, rtol=0, atol=error * largest)
    torch.testing.assert_close(first.float(), alone.float(), rtol=0, atol=error * largest)
