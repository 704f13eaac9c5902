"""Models whose rows each choose their own item among candidates."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raymon.config import retrieval_settings
from raymon.data import Batch, Feature
from raymon.models.layers.autocast import without_autocast
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class MatchModel(RankingModel):
    """A model that scores candidates for the user of each row, of which the row's item is right.

    The candidates of a row are the items of all rows of the batch on its rank, if
    `in_batch_negative` is set: then row i is right with candidate i, and the same item in another
    row is one of its negatives. Else they are the item of the row, and the negatives that a sampler
    drew. Values of labels have no effect: each row is a positive.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: Columns of labels.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        settings = retrieval_settings(config)
        self._temperature = settings.temperature
        self._in_batch = settings.in_batch_negative

    def target(self, label: str, batch: Batch) -> Tensor:
        """Returns the index of the right candidate of each row, int64 `[B]`."""
        device = batch.labels[label].device
        if self._in_batch:
            return torch.arange(batch.size, device=device)
        return torch.zeros(batch.size, dtype=torch.int64, device=device)

    def similarities(self, users: Tensor, items: Tensor) -> Tensor:
        """Returns how near the vectors of users are to those of their candidates.

        Args:
            users: Vectors of users, `[B, D]`.
            items: Vectors of the items of all rows, `[B, D]`.

        Returns:
            Inner products divided by the temperature, float32 `[B, C]`.
        """
        with without_autocast(users.device):
            return users.float() @ items.float().T / self._temperature

    def _output(self, label: str) -> str:
        return "similarity"

    def _score(self, label: str) -> str:
        return "similarity"
