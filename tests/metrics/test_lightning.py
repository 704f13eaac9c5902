"""In a LightningModule the metrics are logged as torchmetrics' own are."""

from __future__ import annotations

import lightning
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from raymon.metrics import AUC, GroupedAUC, LogLoss


class Clicks(lightning.LightningModule):
    """Predicts its input."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(()))
        self.auc, self.log_loss, self.by_user = AUC(), LogLoss(), GroupedAUC()

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        scores, clicks, users = batch
        self.auc(scores, clicks)
        self.log_loss.update(scores, clicks)
        self.by_user.update(scores, clicks, users)
        self.log("auc", self.auc, on_step=True, on_epoch=True)
        self.log_dict({"log_loss": self.log_loss, "grouped_auc": self.by_user})


@pytest.mark.filterwarnings("ignore")
def test_the_values_of_an_epoch_are_those_of_all_its_rows(tmp_path) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(500, generator=generator)
    clicks = (torch.rand(500, generator=generator) < scores).long()
    users = torch.randint(0, 20, (500,), generator=generator)
    loader = DataLoader(TensorDataset(scores, clicks, users), batch_size=64)
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    (values,) = trainer.validate(Clicks(), loader, verbose=False)
    assert values["auc_epoch"] == pytest.approx(roc_auc_score(clicks, scores), abs=1e-4)
    assert values["log_loss"] == pytest.approx(
        torch.nn.functional.binary_cross_entropy(scores, clicks.float()).item(), rel=1e-5
    )
    by_user = [roc_auc_score(clicks[users == user], scores[users == user]) for user in range(20)]
    assert values["grouped_auc"] == pytest.approx(sum(by_user) / 20, abs=1e-6)
