"""A loop of Ray Train on two workers, watched: `python monitor_ray_train.py STORAGE_PATH`."""

import sys

import torch
from ray.train import RunConfig, ScalingConfig, get_context
from ray.train.torch import TorchTrainer, prepare_model
from torch import nn

import raymon


def train_loop() -> None:
    """Trains a small network on random data, on every worker."""
    torch.manual_seed(get_context().get_world_rank())
    model = prepare_model(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
    monitor = raymon.Monitor(train_metrics=["auc"], optimizer=optimizer, total_steps=500)
    for _ in range(500):
        x = torch.randn(2000, 64)
        y = torch.bernoulli(torch.sigmoid(8 * x.mean(1) - 3))
        logits = model(x).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        monitor.step(losses={"bce": loss}, predictions=logits.sigmoid(), targets=y)
    monitor.close()


run = RunConfig(name="watched", storage_path=sys.argv[1])
TorchTrainer(train_loop, scaling_config=ScalingConfig(num_workers=2), run_config=run).fit()
