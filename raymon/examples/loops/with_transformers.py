"""A `Trainer` of Transformers, watched: `python with_transformers.py MODEL_DIR`."""

import sys

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import Trainer, TrainingArguments

from raymon.integrations.transformers import MonitorCallback


class Clicks(nn.Module):
    """A small network that predicts clicks, and returns its loss as models of Transformers do."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(64, 1)

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Returns the loss and the logits."""
        logits = self.net(x).squeeze(1)
        return {"loss": binary_cross_entropy_with_logits(logits, labels), "logits": logits}


torch.manual_seed(0)
x = torch.randn(20_000, 64)
y = torch.bernoulli(torch.sigmoid(8 * x.mean(1) - 3))
rows = [{"x": a, "labels": b} for a, b in zip(x, y, strict=True)]
callback = MonitorCallback(
    ["auc"], model_dir=sys.argv[1], predictions=lambda outputs: outputs["logits"].sigmoid()
)
settings = TrainingArguments(
    "trainer", per_device_train_batch_size=100, learning_rate=0.01, use_cpu=True, report_to=[]
)
Trainer(Clicks(), settings, train_dataset=rows, callbacks=[callback]).train()
