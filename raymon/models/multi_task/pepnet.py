"""PEPNet: towers gated by the domain, the user and the item of a row.

Chang et al., PEPNet: Parameter and Embedding Personalized Network for Infusing with Personalized
Prior Information, 2023.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.errors import ConfigError
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.personal_gates import GatedLayers, GateNU
from raymon.models.layers.task_tower import TaskTowers
from raymon.models.ranking import RankingModel
from raymon.protos import layers_pb2
from raymon.protos.model_pb2 import ModelConfig


class PEPNet(RankingModel):
    """Towers over the main group, whose inputs and layers are gated by other groups.

    The gate of the domain group scales the numbers of the main group (equation 3). Each task has
    layers over them, of which that of the user, item and author group scales every output (equation
    5), and then its tower. A gate is made of its group and of the numbers that go into the towers,
    which it does not train.

    With `domain_input_name` a task has a tower for each domain. Predictions of all of them have the
    suffix `_{tower_name}_{domain}`; those of the domain of the row have the suffix `_{tower_name}`,
    and are trained and measured.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: All columns of labels.
        sample_weights: Columns of sample weights that towers name.

    Raises:
        ConfigError: `domain_input_name` is no feature of ids below `task_domain_num`.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        pepnet, count = config.pepnet, len(self.tasks)
        given = {group.group_name for group in config.feature_groups}
        self._main, self._domain, self._uia = (
            pepnet.main_group_name,
            pepnet.domain_group_name,
            pepnet.uia_group_name,
        )
        names = [name for name in (self._main, self._domain, self._uia) if name in given]
        self.inputs = GroupedInputs(config, features, names)
        width = self.inputs.width(self._main)
        self.feature_gate: GateNU | None = None
        if self._domain in given:
            hidden = pepnet.epnet_hidden_unit if pepnet.HasField("epnet_hidden_unit") else width
            length = self.inputs.width(self._domain) + width
            self.feature_gate = GateNU(length, hidden, width, pepnet.epnet_gamma)
        self.gated = nn.ModuleList()
        if self._uia in given:
            layers = layers_pb2.MLP(
                hidden_units=pepnet.ppnet_hidden_units,
                activation=pepnet.ppnet_activation,
                dropout_ratio=pepnet.ppnet_dropout_ratio,
            )
            length, gamma = self.inputs.width(self._uia), pepnet.ppnet_gamma
            self.gated.extend(GatedLayers(width, length, layers, gamma) for _ in range(count))
            width = pepnet.ppnet_hidden_units[-1]
        self._domain_of: str | None = None
        if pepnet.HasField("domain_input_name"):
            self._domain_of = pepnet.domain_input_name
            _check_domain(self._domain_of, pepnet.task_domain_num, features)
        domains = pepnet.task_domain_num if self._domain_of else 1
        # One module for each domain, with a tower of every task.
        self.towers = nn.ModuleList(
            TaskTowers([width] * count, self.tasks, self.kinds) for _ in range(domains)
        )

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of all towers, by name."""
        inputs = self.inputs(batch)
        main = inputs[self._main]
        if self.feature_gate is not None:
            main = main * self.feature_gate(inputs[self._domain], main)
        hidden = [main] * len(self.tasks)
        if self.gated:
            hidden = [layers(main, inputs[self._uia]) for layers in self.gated]
        by_domain = [towers(hidden) for towers in self.towers]
        if self._domain_of is None:
            return dict(by_domain[0])
        domain = _first_ids(batch, self._domain_of)
        predictions = {}
        for name in by_domain[0]:
            stacked = torch.stack([each[name] for each in by_domain], 1)
            index = domain.view(-1, *[1] * (stacked.dim() - 1))
            index = index.expand(-1, 1, *stacked.shape[2:])
            predictions[name] = stacked.gather(1, index).squeeze(1)
        for place, each in enumerate(by_domain):
            predictions |= {f"{name}_{place}": tensor for name, tensor in each.items()}
        return predictions


def _check_domain(name: str, domains: int, features: Sequence[Feature]) -> None:
    feature = {feature.name: feature for feature in features}[name]
    rows = 0 if feature.embedding is None else feature.embedding.num_embeddings
    if feature.embedding is None or rows > domains:
        raise ConfigError(
            f'model_config.pepnet.domain_input_name: "{name}" must be an id_feature with '
            f"num_buckets of at most task_domain_num, {domains}"
        )


def _first_ids(batch: Batch, name: str) -> Tensor:
    """Returns the first id of each row, int64 `[B]`; 0 where there is none."""
    ids = batch.sparse[name]
    if ids.offsets is None:
        return ids.values
    # A value more, so that a last row without one has something to be looked up.
    values = torch.cat([ids.values, ids.values.new_zeros(1)])
    first = values.index_select(0, ids.offsets)
    most = ids.offsets.new_full((1,), torch.iinfo(torch.int64).max)
    bounds = torch.cat([ids.offsets, most])
    return torch.where(bounds[1:] > bounds[:-1], first, 0)
