"""Dropout of whole features whose probabilities are learnt, to see which features matter."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from raymon.protos import layers_pb2

_TEMPERATURE = 0.1


class VariationalDropout(nn.Module):
    """Drops each part of its inputs by a probability of its own, which is learnt.

    In training a part of a row is multiplied by 1 - z, where z is a relaxed Bernoulli variable,
    `sigmoid((logit p + logit u) / 0.1)` with u uniform in [0, 1] (concrete dropout: Gal et al.
    2017, equation 5); otherwise by 1 - p. What little of a feature is needed is dropped, because
    the penalty asks for a high p: features with a small p matter (Chang et al., Dropout Feature
    Ranking for Deep Learning Models, 2017).

    Args:
        group: Name of the group of features.
        parts: Width of each part of the inputs, by its name, in their order.
        config: Config of the dropout.
    """

    def __init__(
        self, group: str, parts: Mapping[str, int], config: layers_pb2.VariationalDropout
    ) -> None:
        super().__init__()
        self.group = group
        self._parts = dict(parts)
        self._factor = config.regularization_lambda
        by_number = config.embedding_wise_variational_dropout
        count = sum(parts.values()) if by_number else len(parts)
        # Of Python numbers, as a model may be made without values, to see whether it can be.
        of_parts = [index for index, width in enumerate(parts.values()) for _ in range(width)]
        probability_of = torch.tensor(list(range(count)) if by_number else of_parts)
        self.register_buffer("_probability_of", probability_of, persistent=False)
        self.feature_p = nn.Parameter(torch.randn(count))

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the inputs `[B, width]` with less of what is dropped."""
        if not self.training:
            dropped = self.feature_p.sigmoid().unsqueeze(0)
        else:
            size = inputs.shape[0], len(self.feature_p)
            noise = torch.rand(size, device=inputs.device).logit(torch.finfo(torch.float32).eps)
            dropped = ((self.feature_p + noise) / _TEMPERATURE).sigmoid()
        return inputs * (1 - dropped).index_select(1, self.get_buffer("_probability_of"))

    def penalty(self, rows: int) -> Tensor:
        """Returns the loss of what is not dropped, a scalar: lambda / B times the sum of 1 - p.

        Args:
            rows: Number of rows of the batch, B.
        """
        loss: Tensor = (1 - self.feature_p.sigmoid()).sum() * (self._factor / max(rows, 1))
        return loss

    def probabilities(self) -> dict[str, float]:
        """Returns the probability by which each part is dropped, the most important part first.

        Where each number of a part has its own, it is their mean.
        """
        with torch.no_grad():
            all_ = self.feature_p.sigmoid()[self.get_buffer("_probability_of")]
            of_parts = all_.split(list(self._parts.values()))
            found = {n: float(p.mean()) for n, p in zip(self._parts, of_parts, strict=True)}
        return dict(sorted(found.items(), key=lambda item: item[1]))


def dropouts_of(model: nn.Module) -> list[VariationalDropout]:
    """Returns the dropouts of the groups of a model."""
    return [module for module in model.modules() if isinstance(module, VariationalDropout)]


def dropout_losses(model: nn.Module, rows: int) -> dict[str, Tensor]:
    """Returns the loss of each group whose features are dropped, by name: `{group}_feature_p_loss`.

    Args:
        model: The model.
        rows: Number of rows of the batch.
    """
    return {f"{each.group}_feature_p_loss": each.penalty(rows) for each in dropouts_of(model)}


def feature_importance(model: nn.Module) -> dict[str, dict[str, float]]:
    """Returns by which probability features are dropped, by group, the most important first."""
    return {each.group: each.probabilities() for each in dropouts_of(model)}
