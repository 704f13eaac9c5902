"""DBMTL: towers that depend on other towers.

Wang et al., Deep Bayesian Multi-Target Learning for Recommender Systems, 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.models.layers.experts import MixtureOfExperts
from raymon.models.layers.mask_net import MaskNetModule
from raymon.models.layers.mlp import MLP
from raymon.models.layers.task_tower import TaskTowers
from raymon.models.multi_task.multi_task_model import MultiTaskModel
from raymon.protos.model_pb2 import ModelConfig
from raymon.protos.task_pb2 import BayesTaskTower


class DBMTL(MultiTaskModel):
    """A network of tasks, each of which may depend on tasks before it (section 3).

    The features of the first group go through the mask blocks and the bottom MLP, where they are
    given, and to every task, mixed by its gate if there are experts. The output of the MLP of a
    task is concatenated with the outputs of the tasks that it depends on; an MLP over these, the
    `relation_mlp`, gives its own output, from which a linear map makes its predictions.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: All columns of labels.
        sample_weights: Columns of sample weights that towers name.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        dbmtl, width = config.dbmtl, self.in_features
        self.mask_net: MaskNetModule | None = None
        if dbmtl.HasField("mask_net"):
            self.mask_net = MaskNetModule(width, dbmtl.mask_net)
            width = self.mask_net.out_features
        self.bottom: MLP | None = None
        if dbmtl.HasField("bottom_mlp"):
            self.bottom = MLP(width, dbmtl.bottom_mlp)
            width = self.bottom.out_features
        self.mixture: MixtureOfExperts | None = None
        if dbmtl.HasField("expert_mlp"):
            gate = dbmtl.gate_mlp if dbmtl.HasField("gate_mlp") else None
            count = dbmtl.num_expert
            self.mixture = MixtureOfExperts(width, len(self.tasks), count, dbmtl.expert_mlp, gate)
            width = self.mixture.out_features
        self.mlps, self.relations = nn.ModuleList(), nn.ModuleList()
        self._before: list[list[int]] = []
        widths: list[int] = []
        names = [task.name for task in self.tasks]
        for tower in dbmtl.task_towers:
            own = MLP(width, tower.mlp) if tower.HasField("mlp") else None
            out_features = width if own is None else own.out_features
            self.mlps.append(nn.Identity() if own is None else own)
            before = _before(tower, names)
            relation: nn.Module = nn.Identity()
            if tower.HasField("relation_mlp"):
                relation = MLP(out_features + sum(widths[i] for i in before), tower.relation_mlp)
                out_features = tower.relation_mlp.hidden_units[-1]
            self.relations.append(relation)
            self._before.append(before)
            widths.append(out_features)
        self.towers = TaskTowers(widths, self.tasks, self.kinds, has_mlp=False)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of all towers, by name."""
        shared = self.shared(batch)
        if self.mask_net is not None:
            shared = self.mask_net(shared)
        if self.bottom is not None:
            shared = self.bottom(shared)
        inputs = [shared] * len(self.tasks) if self.mixture is None else self.mixture(shared)
        outputs: list[Tensor] = []
        for tensor, mlp, relation, before in zip(
            inputs, self.mlps, self.relations, self._before, strict=True
        ):
            parts = [mlp(tensor), *(outputs[i] for i in before)]
            outputs.append(relation(torch.cat(parts, 1) if before else parts[0]))
        predictions: dict[str, Tensor] = self.towers(outputs)
        return predictions


def _before(tower: BayesTaskTower, names: Sequence[str]) -> list[int]:
    """Returns the places of the towers whose outputs go into the relation of a tower."""
    if not tower.HasField("relation_mlp"):
        return []
    return [names.index(name) for name in tower.relation_tower_names]
