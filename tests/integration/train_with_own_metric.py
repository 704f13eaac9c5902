"""A user's script, which registers a custom metric and trains with it."""

import dataclasses
import json
import sys

import torch
from torchmetrics import Metric

import raymon


class HighestScore(Metric):
    """The highest score so far."""

    full_state_update = False

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.add_state("highest", torch.tensor(-float("inf")), "max")

    def update(self, preds: torch.Tensor, target: torch.Tensor) -> None:
        assert target.dtype == torch.int64
        if len(preds):
            self.highest = torch.maximum(self.highest, preds.max())

    def compute(self) -> torch.Tensor:
        return self.scale * self.highest


if __name__ == "__main__":
    raymon.register_metric("highest_score", HighestScore)
    summary = raymon.train(sys.argv[1])
    print(json.dumps(dataclasses.asdict(summary)))
