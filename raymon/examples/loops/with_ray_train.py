"""A `Trainer` of Lightning on workers of Ray Train, watched: `python with_ray_train.py STORAGE`."""

import sys

import torch
from lightning import LightningModule, Trainer
from ray.train import RunConfig, ScalingConfig
from ray.train.lightning import RayDDPStrategy, RayLightningEnvironment, prepare_trainer
from ray.train.torch import TorchTrainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from raymon.integrations.lightning import MonitorCallback


class Clicks(LightningModule):
    """A small network that predicts clicks."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(64, 1)

    def training_step(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Returns the loss, and what the metrics need."""
        logits = self.net(batch[0]).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch[1])
        return {"loss": loss, "predictions": logits.sigmoid(), "targets": batch[1]}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Returns the optimizer."""
        return torch.optim.Adam(self.parameters(), lr=0.01)


def train_loop() -> None:
    """Trains on every worker; the numbers go to the storage of the run."""
    torch.manual_seed(0)
    x = torch.randn(20_000, 64)
    rows = TensorDataset(x, torch.bernoulli(torch.sigmoid(8 * x.mean(1) - 3)))
    trainer = prepare_trainer(
        Trainer(
            max_epochs=2,
            accelerator="cpu",
            strategy=RayDDPStrategy(),
            plugins=[RayLightningEnvironment()],
            callbacks=[MonitorCallback(["auc"])],
        )
    )
    trainer.fit(Clicks(), DataLoader(rows, batch_size=100))


if __name__ == "__main__":
    run = RunConfig(name="watched", storage_path=sys.argv[1])
    TorchTrainer(train_loop, scaling_config=ScalingConfig(num_workers=2), run_config=run).fit()
