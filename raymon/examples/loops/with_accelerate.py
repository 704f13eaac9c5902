"""A loop of Accelerate, watched: `python with_accelerate.py MODEL_DIR`."""

import sys

import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from raymon.integrations.accelerate import MonitorTracker

torch.manual_seed(0)
x = torch.randn(20_000, 64)
rows = TensorDataset(x, torch.bernoulli(torch.sigmoid(8 * x.mean(1) - 3)))
model = nn.Linear(64, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

accelerator = Accelerator(cpu=True)
model, optimizer, loader = accelerator.prepare(model, optimizer, DataLoader(rows, 100))
MonitorTracker(["auc"], model_dir=sys.argv[1]).attach(accelerator)
for epoch in range(2):
    for features, labels in loader:
        logits = model(features).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels)
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        step = {"predictions": logits.sigmoid(), "targets": labels, "epoch": epoch}
        accelerator.log({"loss": loss.detach()}, log_kwargs={"raymon": step})
accelerator.end_training()
