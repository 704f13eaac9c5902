from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from raymon.training.optim.pareto import pareto_weights
from tests.forked import run_ranks
from tests.models.multi_task.towers import batch
from tests.training.optim.pareto_of_rank import main, model, rows_of, step_of


def by_formula(gradients: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Equations 6 and 7 with an inverse and a general optimizer."""
    count = len(c)
    gram = gradients @ gradients.T
    top = np.hstack([gram, np.ones((count, 1))])
    bottom = np.hstack([np.ones((1, count)), np.zeros((1, 1))])
    right = np.concatenate([-gram @ c, [1 - c.sum()]])
    relaxed = np.linalg.solve(np.vstack([top, bottom]), right)[:count]
    nearest = minimize(
        lambda w: np.square(w - relaxed).sum(),
        np.full(count, (1 - c.sum()) / count),
        bounds=[(0, None)] * count,
        constraints={"type": "eq", "fun": lambda w: w.sum() + c.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    return np.asarray(nearest.x + c)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**20), st.integers(2, 5))
def test_weights_are_those_of_the_paper(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    gradients = rng.normal(size=(count, 30)) * rng.uniform(0.3, 3, (count, 1))
    c = rng.uniform(0, 0.9 / count, count)
    found = pareto_weights(torch.tensor(gradients), torch.tensor(c)).numpy()
    assert found == pytest.approx(by_formula(gradients, c), abs=1e-3)
    assert found.sum() == pytest.approx(1)
    assert (found >= c - 1e-6).all()


def test_two_gradients_have_the_shortest_sum() -> None:
    gradients = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    # The point of the line between them that is nearest to 0: (0.8, 0.4).
    found = pareto_weights(gradients, torch.zeros(2))
    assert found.tolist() == pytest.approx([0.8, 0.2], abs=1e-5)
    # FP16 scales all of them alike.
    assert pareto_weights(gradients * 65536, torch.zeros(2)).tolist() == pytest.approx(
        found.tolist()
    )


def test_losses_with_no_gradient_or_the_same_weigh_finitely() -> None:
    for gradients in (torch.zeros(2, 3), torch.ones(2, 3)):
        found = pareto_weights(gradients, torch.tensor([0.1, 0.0]))
        assert found.sum() == pytest.approx(1)
        assert bool(found.isfinite().all())


@pytest.mark.parametrize("precision", ["", 'mixed_precision: "FP16"'])
def test_a_step_weighs_the_gradients_of_its_losses(precision: str) -> None:
    made = model()
    step = step_of(made, 0, 1, precision)
    rows = batch()
    dense, everything = made.dense_parameters(), list(made.parameters())
    losses = list(made.loss(made(rows), rows).values())
    each = [
        torch.autograd.grad(loss, everything, retain_graph=True, allow_unused=True)
        for loss in losses
    ]
    is_dense = [any(p is q for q in dense) for p in everything]
    flat = [
        torch.cat(
            [
                (torch.zeros_like(p) if g is None else g).flatten()
                for g, p, own in zip(grads, everything, is_dense, strict=True)
                if own
            ]
        )
        for grads in each
    ]
    shares = by_formula(torch.stack(flat).double().numpy(), np.array([0.2, 0.0]))
    step.backward(rows, group_rows=9, group=1, last=True)
    step.unscale()
    for index, parameter in enumerate(everything):
        if is_dense[index]:
            parts = [g[index] for g in each]
            expected = sum(
                torch.zeros_like(parameter) if g is None else float(w) * g
                for w, g in zip(shares, parts, strict=True)
            )
            assert parameter.grad is not None
            close = {"rtol": 0.05, "atol": 2e-3} if precision else {"rtol": 1e-3, "atol": 1e-5}
            torch.testing.assert_close(parameter.grad, expected, **close)


def test_two_ranks_weigh_alike_as_one_rank_with_all_rows(tmp_path: Path) -> None:
    outs = [tmp_path / "0", tmp_path / "1"]
    run_ranks(main, [(rank, str(tmp_path / "store"), out) for rank, out in enumerate(outs)])
    one, other = (torch.load(out) for out in outs)
    made = model()
    parts = [rows_of(0), rows_of(1)]
    losses = [made.loss(made(rows), rows) for rows in parts]
    means = [
        sum(loss[name] * rows.size for loss, rows in zip(losses, parts, strict=True)) / 11
        for name in losses[0]
    ]
    parameters = made.dense_parameters()
    each = [
        torch.autograd.grad(mean, parameters, retain_graph=True, allow_unused=True)
        for mean in means
    ]
    filled = [
        [torch.zeros_like(p) if g is None else g for g, p in zip(grads, parameters, strict=True)]
        for grads in each
    ]
    flat = torch.stack([torch.cat([g.flatten() for g in grads]) for grads in filled])
    shares = pareto_weights(flat, torch.tensor([0.2, 0.0]))
    for index, gradients in enumerate(zip(*filled, strict=True)):
        expected = sum(share * g for share, g in zip(shares, gradients, strict=True))
        torch.testing.assert_close(one[index], expected, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(one[index], other[index])
