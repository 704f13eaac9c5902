"""DLRM: Naumov et al., Deep Learning Recommendation Model, 2019 (arXiv:1906.00091)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.errors import ConfigError
from raymon.models.layers.autocast import as_autocast
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.ranking import RankingModel
from raymon.protos.model_pb2 import ModelConfig


class DotInteraction(nn.Module):
    """The dot products of all pairs of F vectors, each pair once, in the format of autocast.

    Args:
        num_vectors: Number of vectors, F.

    Attributes:
        out_features: Number of pairs, F (F - 1) / 2.
    """

    def __init__(self, num_vectors: int) -> None:
        super().__init__()
        rows, columns = torch.tril_indices(num_vectors, num_vectors, offset=-1)
        self.out_features = len(rows)
        # The index of each pair among the products, and the pair of each product. The product of a
        # vector with itself, which is not used, has the index after the last pair.
        pair_of = torch.full((num_vectors, num_vectors), self.out_features)
        pair_of[rows, columns] = pair_of[columns, rows] = torch.arange(self.out_features)
        self.register_buffer("_pairs", rows * num_vectors + columns, persistent=False)
        self.register_buffer("_pair_of", pair_of.flatten(), persistent=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Returns the products `[B, F (F - 1) / 2]` of vectors `[B, F, D]`."""
        pairs, pair_of = self.get_buffer("_pairs"), self.get_buffer("_pair_of")
        vectors = as_autocast(vectors)
        if not (torch.is_grad_enabled() and vectors.requires_grad):
            return _products(vectors, pairs)
        return _pair_products(vectors, pairs, pair_of)


class _PairProducts(torch.autograd.Function):
    """Products of pairs whose gradient takes one matrix product a row.

    If `G` is the gradient of the products, as a symmetric matrix with zeros on its diagonal, the
    gradient of the vectors is `G V`. Autograd would scatter into a triangle, and add two products,
    of the triangle and of its transpose: 6.1 ms for 4,096 rows of 27 vectors of 8 numbers on one
    thread, while this takes 4.1 ms. The gradient has the format of the vectors, which must be the
    one in which the products are made.
    """

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, pairs: Tensor, pair_of: Tensor) -> Tensor:
        """Returns the products of all pairs, `[B, F (F - 1) / 2]`."""
        ctx.save_for_backward(vectors, pair_of)
        return _products(vectors, pairs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Returns the gradient of the vectors, `[B, F, D]`."""
        vectors, pair_of = ctx.saved_tensors
        of_pairs = torch.nn.functional.pad(gradients[0], (0, 1))
        symmetric = of_pairs.index_select(1, pair_of).unflatten(1, (vectors.shape[1], -1))
        return torch.bmm(symmetric, vectors), None, None


_pair_products: Callable[[Tensor, Tensor, Tensor], Tensor] = _PairProducts.apply


def _products(vectors: Tensor, pairs: Tensor) -> Tensor:
    return torch.bmm(vectors, vectors.transpose(1, 2)).flatten(1).index_select(1, pairs)


class DLRM(RankingModel):
    """A bottom MLP over the numbers, dot products of it and the embeddings, and a top MLP.

    Group "sparse" has the embeddings, all of one size; group "dense" the numbers. Without numbers
    there is no bottom MLP.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: Columns of labels.
        sample_weights: Columns of sample weights: none, one for all labels, or one for each.

    Raises:
        ConfigError: A feature is of the wrong kind for its group, embeddings differ in size, or the
            bottom MLP does not end in that size.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        dlrm = config.dlrm
        # Checkpoints and patterns of names know the tables as the model's own.
        self.inputs = GroupedInputs(config, features, ["dense", "sparse"], home=self)
        dense, sparse = self.inputs.groups["dense"], self.inputs.groups["sparse"]
        dense.require_dense()
        dim = self._dim = sparse.require_one_dim()
        num_vectors = len(sparse.features)
        self.dense_mlp: MLP | None = None
        if dense.features:
            self.dense_mlp = MLP(self.inputs.width("dense"), dlrm.dense_mlp)
            if self.dense_mlp.out_features != dim:
                raise ConfigError(
                    "model_config.dlrm.dense_mlp.hidden_units: ends in "
                    f"{self.dense_mlp.out_features}; must end in {dim}, the embedding_dim of "
                    'group "sparse"'
                )
            num_vectors += 1
        self.interaction = DotInteraction(num_vectors)
        self._with_sparse = dlrm.arch_with_sparse
        with_vectors = num_vectors if self._with_sparse else num_vectors - len(sparse.features)
        self.final_mlp = MLP(self.interaction.out_features + with_vectors * dim, dlrm.final)
        self.head = Head(self.final_mlp.out_features, self.kinds, config.num_class)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the head, by name."""
        inputs = self.inputs(batch)
        vectors = inputs["sparse"].unflatten(1, (-1, self._dim))
        bottom = []
        if self.dense_mlp is not None:
            bottom = [self.dense_mlp(inputs["dense"])]
            vectors = torch.cat([bottom[0].unsqueeze(1), vectors], dim=1)
        seen = [vectors.flatten(1)] if self._with_sparse else bottom
        predictions: dict[str, Tensor] = self.head(
            self.final_mlp(torch.cat([self.interaction(vectors), *seen], dim=1))
        )
        return predictions
