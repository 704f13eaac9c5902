"""The loop that contenders watch: an MLP, and batches of clicks that it can learn from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

ROWS, FEATURES = 4_096, 64

Times = list[float]
"""Seconds of each step."""


class Clicks(nn.Module):
    """An MLP with its optimizer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Linear(FEATURES, 96), nn.ReLU(), nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, 1)
        )
        self.optimizer = torch.optim.Adam(self.parameters(), 1e-3)

    def forward(self, rows: Tensor) -> Tensor:
        """Returns the logits `[B]` of rows `[B, FEATURES]`."""
        logits: Tensor = self.layers(rows).squeeze(1)
        return logits

    def step(self, rows: Tensor, clicks: Tensor) -> tuple[Tensor, Tensor]:
        """Trains on a batch; returns the loss and the predictions."""
        logits = self(rows)
        predictions = logits.detach().sigmoid()
        loss = binary_cross_entropy_with_logits(logits, clicks)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss, predictions


def batches(steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields batches of rows and clicks, 20 different ones in turn."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for _ in range(20):
        rows = torch.randn(ROWS, FEATURES, generator=generator)
        rate = torch.sigmoid(rows[:, 0] - 3)
        made.append((rows, (torch.rand(ROWS, generator=generator) < rate).float()))
    for step in range(steps):
        yield made[step % len(made)]


def timed(steps: int, step: Callable[[Tensor, Tensor], None]) -> Times:
    """Calls `step` with each batch, and returns its seconds."""
    times = []
    for rows, clicks in batches(steps):
        began = time.perf_counter()
        step(rows, clicks)
        times.append(time.perf_counter() - began)
    return times


def bare(steps: int) -> Times:
    """Returns the seconds of steps that nothing watches."""
    model = Clicks()
    return timed(steps, lambda rows, clicks: (model.step(rows, clicks), None)[1])
