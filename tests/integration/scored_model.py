"""A model that predicts what is written in the data, so that its metrics are known."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from raymon.data import Batch
from raymon.models import RankingModel


class ScoredModel(RankingModel):
    """A model that predicts the raw feature `score`; its one parameter changes nothing."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.unused = nn.Parameter(torch.zeros(()))

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        probs = batch.dense["score"].reshape(-1) + 0 * self.unused
        return {"probs": probs, "logits": torch.logit(probs, eps=1e-6)}

    def loss(self, predictions: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        return super().loss(predictions, batch)
