"""A `Trainer` of Lightning, watched: `python with_lightning.py MODEL_DIR`."""

import sys

import torch
from lightning import LightningModule, Trainer
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
        self.log("mean_logit", logits.mean())
        return {"loss": loss, "predictions": logits.sigmoid(), "targets": batch[1]}

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        """Logs the loss of the validation."""
        logits = self.net(batch[0]).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch[1])
        self.log("bce", loss, sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Returns the optimizer."""
        return torch.optim.Adam(self.parameters(), lr=0.01)


torch.manual_seed(0)
x = torch.randn(10_000, 64)
rows = TensorDataset(x, torch.bernoulli(torch.sigmoid(8 * x.mean(1) - 3)))
callback = MonitorCallback(["auc"], model_dir=sys.argv[1])
trainer = Trainer(max_epochs=2, accelerator="cpu", callbacks=[callback])
trainer.fit(Clicks(), DataLoader(rows, batch_size=100), DataLoader(rows, batch_size=1000))
