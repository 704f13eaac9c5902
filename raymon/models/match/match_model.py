"""Models whose rows each choose their own item among candidates."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from raymon.config import Task, group_features, retrieval_settings, tower_groups
from raymon.data import Batch, Feature
from raymon.errors import ModelError
from raymon.models.layers.autocast import without_autocast
from raymon.models.match.served_tower import ServedTower
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig

NO_CANDIDATE = -1e30
"""Similarity of a candidate that a row does not have; its probability is 0, its gradient too."""


class MatchModel(RankingModel):
    """A model that scores candidates for the user of each row, of which the row's item is right.

    The candidates of a row are

    - with `in_batch_negative` the items of all rows of the batch on its rank, of which candidate i
      is right for row i; the same item in another row is one of its negatives. Else its own item,
      which is candidate 0;
    - the negatives of all rows that a sampler drew, if there is one;
    - its hard negatives, if the sampler drew any; rows with fewer than others have the rest with
      the similarity `NO_CANDIDATE`.

    Values of labels have no effect: each row is a positive.

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

    def items_of(self, batch: Batch) -> Batch:
        """Returns the features of the items: of the rows, then of the negatives."""
        return batch if batch.candidates is None else batch.candidates.items

    @abstractmethod
    def tower_vectors(self, name: str) -> nn.Module:
        """Returns the module that makes the vectors of a tower of a batch, with nothing else.

        Args:
            name: "user" or "item".
        """

    def towers(self) -> dict[str, ServedTower]:
        """Returns the towers "user" and "item", each on its own, with the tables of the model."""
        towers = {}
        for name, groups in tower_groups(self.config).items():
            used = {
                feature
                for group in self.config.feature_groups
                if group.group_name in groups
                for feature in group_features(group)
            }
            towers[name] = ServedTower(name, self.tower_vectors(name), self.features, used)
        return towers

    def similarities(self, users: Tensor, items: Tensor, batch: Batch) -> Tensor:
        """Returns how near the vectors of users are to those of their candidates.

        Args:
            users: Vectors of users, `[B, D]`.
            items: Vectors of the items, in the order of `items_of`, `[B + N + H, D]`.
            batch: The batch.

        Returns:
            Inner products divided by the temperature, float32 `[B, C]`.

        Raises:
            ModelError: The batch has no negatives.
        """
        candidates = batch.candidates
        if candidates is None and not self._in_batch:
            raise ModelError(
                f"{type(self).__name__}: a batch has no candidates; without in_batch_negative they "
                "come from the sampler of data_config"
            )
        hard = None if candidates is None else candidates.hard
        with without_autocast(users.device):
            users, items = users.float(), items.float()
            shared = items if hard is None else items[: items.shape[0] - hard.shape[1]]
            if self._in_batch:
                parts = [users @ shared.T]
            else:
                own, negatives = shared[: batch.size], shared[batch.size :]
                parts = [(users * own).sum(1, keepdim=True), users @ negatives.T]
            if candidates is not None and hard is not None and candidates.places:
                own_items = items[shared.shape[0] :]
                parts.append(_hard_similarities(users, own_items, hard, candidates.places))
            return torch.cat(parts, 1) / self._temperature

    def _output(self, task: Task) -> str:
        return "similarity"

    def _score(self, task: Task) -> str:
        return "similarity"


def _hard_similarities(users: Tensor, items: Tensor, hard: Tensor, places: int) -> Tensor:
    """Returns the inner products of rows with their hard negatives.

    Args:
        users: Vectors of users, `[B, D]`.
        items: Vectors of the hard negatives, `[H, D]`.
        hard: Row of each hard negative, and its place among those of the row, `[2, H]`.
        places: Places of a row, K.

    Returns:
        float32 `[B, K]`.
    """
    found = (users.index_select(0, hard[0]) * items).sum(1)
    none = torch.full((users.shape[0] * places,), NO_CANDIDATE, device=users.device)
    return none.scatter(0, hard[0] * places + hard[1], found).view(-1, places)
