"""In a LightningModule the metrics are logged like those of torchmetrics."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import lightning
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from raymon.metrics import DecayAUC, TrainMetricWrapper
from tests.metrics.kinds import (
    BINARY,
    EXACT,
    EXACT_MULTICLASS,
    GROUPED,
    IN_BATCH,
    MULTICLASS,
    Kind,
)

Batch = list[Tensor]
Case = tuple[Kind, str]

TRAIN: list[Case] = [
    *((kind, "binary") for kind in BINARY + IN_BATCH),
    *((kind, "classes") for kind in MULTICLASS),
]
EVALUATION: list[Case] = [
    *TRAIN,
    *((kind, "binary") for kind in EXACT),
    *((kind, "classes") for kind in EXACT_MULTICLASS),
    *((kind, "grouped") for kind in GROUPED),
]
DECAY_STEP = 3
TYPES = {"32-true": torch.float32, "bf16-true": torch.bfloat16, "64-true": torch.float64}


def _arguments(form: str, batch: Batch) -> Batch:
    """Returns the arguments of an update: of six classes, or of the first one against the rest."""
    scores, labels, users = batch
    if form == "classes":
        return [scores, labels]
    columns = [scores[:, 0], (labels == 0).long()]
    return [*columns, users] if form == "grouped" else columns


class Scores(lightning.LightningModule):
    """A module that predicts its input, and logs every metric of it."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))
        self.train_metrics = nn.ModuleList(kind() for kind, _ in TRAIN)
        self.metrics = nn.ModuleList(kind() for kind, _ in EVALUATION)
        self.decayed = TrainMetricWrapper(DecayAUC(), decay_step=DECAY_STEP)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        self._log("train", TRAIN, self.train_metrics, batch)
        self.decayed.update(*_arguments("binary", batch))
        self.log("decayed", self.decayed.compute())
        return self.unused.square()

    def validation_step(self, batch: Batch, _: int) -> None:
        self._log("eval", EVALUATION, self.metrics, batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def _log(self, stage: str, cases: list[Case], metrics: nn.ModuleList, batch: Batch) -> None:
        for number, ((_, form), metric) in enumerate(zip(cases, metrics, strict=True)):
            # Gives the value of the batch; at the end of an epoch there is that of all batches.
            metric(*_arguments(form, batch))
            self.log(f"{stage}_{number}", metric, on_step=True, on_epoch=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("precision", TYPES)
def test_the_values_of_an_epoch_are_those_of_all_its_rows(
    precision: Literal["32-true", "bf16-true", "64-true"], tmp_path: Path
) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(500, 6, generator=generator).softmax(1)
    labels = torch.multinomial(scores, 1, generator=generator).squeeze(1)
    users = torch.randint(0, 20, (500,), generator=generator)
    loader = DataLoader(TensorDataset(scores, labels, users), batch_size=64)
    trainer = lightning.Trainer(
        accelerator="cpu",
        precision=precision,
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(Scores(), loader, loader)
    values = trainer.callback_metrics

    # Lightning casts the scores of a batch.
    batches = [[preds.to(TYPES[precision]), *others] for preds, *others in loader]
    for stage, cases in (("train", TRAIN), ("eval", EVALUATION)):
        for number, (kind, form) in enumerate(cases):
            metric = kind()
            for batch in batches:
                metric.update(*_arguments(form, batch))
            expected = metric.compute().item()
            assert values[f"{stage}_{number}_epoch"].item() == pytest.approx(expected), metric
    exact = roc_auc_score(labels == 0, scores.to(TYPES[precision])[:, 0].float())
    assert values["eval_0_epoch"].item() == pytest.approx(exact, abs=1e-3)

    decayed = TrainMetricWrapper(DecayAUC(), decay_step=DECAY_STEP)
    for batch in batches * 2:
        decayed.update(*_arguments("binary", batch))
    assert decayed.compute() > 0.5
    assert values["decayed"].item() == pytest.approx(decayed.compute().item())
