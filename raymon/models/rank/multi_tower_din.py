"""DIN: Zhou et al., Deep Interest Network for Click-Through Rate Prediction, 2018."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.layers.sequences.target_attention import TargetAttention
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class MultiTowerDIN(RankingModel):
    """MLPs over groups and target attention over sequences, side by side, and an MLP over these.

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
        block = config.multi_tower_din
        self._groups = [tower.input for tower in block.towers]
        self._sequences = [tower.input for tower in block.din_towers]
        names = list(dict.fromkeys([*self._groups, *self._sequences]))
        self.inputs = GroupedInputs(config, features, names)
        towers = [MLP(self.inputs.width(tower.input), tower.mlp) for tower in block.towers]
        attentions: list[TargetAttention] = []
        for index, tower in enumerate(block.din_towers):
            group = self.inputs.sequences[tower.input]
            group.check("din_encoder", f"model_config.multi_tower_din.din_towers[{index}]")
            dims = group.query_dim, group.sequence_dim
            attentions.append(TargetAttention(*dims, tower.attn_mlp))
        self.towers = nn.ModuleList(towers)
        self.din_towers = nn.ModuleList(attentions)
        out_features = sum(tower.out_features for tower in towers)
        out_features += sum(attention.out_features for attention in attentions)
        self.final_mlp = MLP(out_features, block.final) if block.HasField("final") else None
        if self.final_mlp is not None:
            out_features = self.final_mlp.out_features
        self.head = Head(out_features, self.kinds, config.num_class)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        inputs, sequences = self.inputs.with_sequences(batch)
        towers = zip(self.towers, self._groups, strict=True)
        attentions = zip(self.din_towers, self._sequences, strict=True)
        outputs: list[Tensor] = [tower(inputs[group]) for tower, group in towers]
        outputs += [attention(sequences[group]) for attention, group in attentions]
        hidden = torch.cat(outputs, dim=1)
        if self.final_mlp is not None:
            hidden = self.final_mlp(hidden)
        predictions: dict[str, Tensor] = self.head(hidden)
        return predictions
