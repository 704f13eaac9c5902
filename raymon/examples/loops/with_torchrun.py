"""A loop of plain torch on several processes, watched by `raymon.Monitor`.

torchrun --nproc-per-node 2 with_torchrun.py MODEL_DIR
"""

import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import raymon

dist.init_process_group("gloo")
torch.manual_seed(dist.get_rank())
model = DistributedDataParallel(nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

monitor = raymon.Monitor(["auc"], model_dir=sys.argv[1], optimizer=optimizer, total_steps=400)
for _ in range(400):
    x = torch.randn(100, 64)
    y = torch.bernoulli(torch.sigmoid(8 * x.mean(1) - 3))
    logits = model(x).squeeze(1)
    loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    monitor.step({"bce": loss}, predictions=logits.sigmoid(), targets=y)
monitor.close()
dist.destroy_process_group()
