"""DeepFM: Guo et al., DeepFM: A Factorization-Machine based Neural Network, 2017."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raymon.data import Batch, Feature
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


def second_order(vectors: Tensor) -> Tensor:
    """Returns the sum of the elementwise products of all pairs of F vectors.

    It is ((sum v)^2 - sum v^2) / 2 (Rendle 2010, lemma 3.1, before the sum over the dimensions).

    Args:
        vectors: Vectors, `[B, F, D]`.

    Returns:
        The sums, `[B, D]`.
    """
    squares: Tensor = vectors.sum(1).square() - vectors.square().sum(1)
    return squares / 2


class DeepFM(RankingModel):
    """A model of a wide part, second-order interactions and a deep MLP, in parallel.

    Group "wide" has a small embedding for each feature, in separate tables; the numbers of all of
    them are summed to one. Group "fm" has embeddings of one size; if it is missing, those of "deep"
    are taken. Group "deep" takes any features, and shares its tables with "fm".

    With a final MLP, the wide sum, the vector of second-order interactions and the output of the
    deep MLP are concatenated and go through it, and then through one linear map for each label.
    Without one, the output of a label is a linear map of the output of the deep MLP, plus the wide
    sum, plus the sum of the vector.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: Columns of labels.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each.

    Raises:
        ConfigError: A feature has no embedding where it needs one, or embeddings of "fm" differ in
            size.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        deepfm = config.deepfm
        has_fm = any(group.group_name == "fm" for group in config.feature_groups)
        self._of_fm = "fm" if has_fm else "deep"
        names = dict.fromkeys(["wide", self._of_fm, "deep"])
        # Checkpoints and patterns of names know the tables as the model's own.
        self.inputs = GroupedInputs(config, features, list(names), home=self)
        self.inputs.groups["wide"].require_sparse()
        self._fm_dim = self.inputs.groups[self._of_fm].require_one_dim()
        self.deep_mlp = MLP(self.inputs.width("deep"), deepfm.deep)
        out_features = self.deep_mlp.out_features
        self.final_mlp: MLP | None = None
        if deepfm.HasField("final"):
            self.final_mlp = MLP(1 + self._fm_dim + out_features, deepfm.final)
            out_features = self.final_mlp.out_features
        self.head = Head(out_features, self.kinds, config.num_class)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        inputs = self.inputs(batch)
        wide = inputs["wide"].sum(1, keepdim=True)
        fm = second_order(inputs[self._of_fm].unflatten(1, (-1, self._fm_dim)))
        deep = self.deep_mlp(inputs["deep"])
        predictions: dict[str, Tensor]
        if self.final_mlp is None:
            predictions = self.head(deep, wide + fm.sum(1, keepdim=True))
        else:
            predictions = self.head(self.final_mlp(torch.cat([wide, fm, deep], dim=1)))
        return predictions
