"""A loop of plain torch, watched: `python monitor_plain_torch.py MODEL_DIR`."""

import sys

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

import raymon

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)

monitor = raymon.Monitor(
    train_metrics=["auc"], model_dir=sys.argv[1], optimizer=optimizer, total_steps=500
)
for _ in range(500):
    x = torch.randn(2000, 64)
    y = torch.bernoulli(torch.sigmoid(8 * x.mean(1) - 3))
    logits = model(x).squeeze(1)
    loss = binary_cross_entropy_with_logits(logits, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    monitor.step(losses={"bce": loss}, predictions=logits.sigmoid(), targets=y)
monitor.close()
