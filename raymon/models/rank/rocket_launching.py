"""Rocket Launching: Zhou et al., A Framework for Training Well-performing Light Net, 2018."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from raymon.config import BOOSTER, LIGHT, named_losses, named_train_metrics
from raymon.data import Batch, Feature
from raymon.models.layers.autocast import without_autocast
from raymon.models.layers.grouped_inputs import GroupedInputs
from raymon.models.layers.head import Head
from raymon.models.layers.mlp import MLP
from raymon.models.losses import weighted_mean
from raymon.models.ranking import RankingModel
from raymon.models.row_weights import loss_weights
from raymon.protos.model_pb2 import ModelConfig
from raymon.protos.rank_model_pb2 import RocketLaunching as Settings

_ALIKE = 0.1
"""Factor of the loss by which hidden layers become alike, if it is their cosine."""


class RocketLaunching(RankingModel):
    """A light network that learns from a booster network beside it, and then predicts alone.

    Both take one group, through an MLP that they share if there is one. The gradient of the light
    network ends before it, so that the booster trains it and the embeddings (section 3.2). In
    training both have the losses of the config, with names in `_booster` and `_light`. Beside them
    `hint_l2_loss` is the mean squared difference of the two outputs (equation 3); and, if hidden
    layers are to be alike, `similarity_{i}_{j}` is of layer i of the light network and j of the
    booster: -0.1 times the cosine, or the Euclidean distance, the mean over the rows. None of these
    moves the booster. In evaluations and afterwards there is the light network alone.

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
        rocket = config.rocket_launching
        self._by_cosine = rocket.feature_distillation_function == Settings.COSINE
        self._group = config.feature_groups[0].group_name
        boosters = [
            replace(task, suffix=task.suffix.removesuffix(LIGHT) + BOOSTER) for task in self.tasks
        ]
        self._booster_losses = named_losses(boosters)
        self._train_named = named_train_metrics([*boosters, *self.tasks])
        self.inputs = GroupedInputs(config, features, [self._group])
        width = self.inputs.width(self._group)
        self.share_mlp: MLP | None = None
        if rocket.HasField("share_mlp"):
            self.share_mlp = MLP(width, rocket.share_mlp)
            width = self.share_mlp.out_features
        self.booster_mlp = MLP(width, rocket.booster_mlp)
        self.light_mlp = MLP(width, rocket.light_mlp)
        self.booster_head = Head(self.booster_mlp.out_features, self.kinds, config.num_class)
        self.light_head = Head(self.light_mlp.out_features, self.kinds, config.num_class)
        self._alike = _pairs(rocket) if rocket.feature_based_distillation else []

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of the light network, by name; in training of both networks."""
        inputs = self.inputs(batch)[self._group]
        if self.share_mlp is not None:
            inputs = self.share_mlp(inputs)
        light = self.light_mlp.hidden(inputs.detach())
        predictions = {f"{n}{LIGHT}": value for n, value in self.light_head(light[-1]).items()}
        if self.training:
            booster = self.booster_mlp.hidden(inputs)
            of_booster = self.booster_head(booster[-1])
            predictions |= {f"{n}{BOOSTER}": value for n, value in of_booster.items()}
            for i, j in self._alike:
                predictions[f"hidden_{i}{LIGHT}"] = light[i].float()
                predictions[f"hidden_{j}{BOOSTER}"] = booster[j].float()
        return predictions

    def loss(self, predictions: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Returns the losses by name, float32 scalars; only training has those of the booster."""
        losses = super().loss(predictions, batch)
        if not self.training:
            return losses
        for loss in self._booster_losses:
            losses[loss.name] = self._loss(loss, predictions, batch)
        with without_autocast(next(iter(losses.values())).device):
            weights = loss_weights(self.tasks[0], batch)
            for i, j in self._alike:
                light = predictions[f"hidden_{i}{LIGHT}"]
                booster = predictions[f"hidden_{j}{BOOSTER}"].detach()
                alike = self._unlike(light, booster)
                losses[f"similarity_{i}_{j}"] = weighted_mean(alike, weights)
            for task in self.tasks:
                output, label = self._output(task), task.suffix.removesuffix(LIGHT)
                target = predictions[output.removesuffix(LIGHT) + BOOSTER].detach()
                rows = (predictions[output] - target).square()
                rows = rows.mean(1) if rows.dim() > 1 else rows
                losses[f"hint_l2_loss{label}"] = weighted_mean(rows, loss_weights(task, batch))
        return losses

    def batch_weight(self, batch: Batch) -> float | dict[str, Tensor]:
        """Returns the number of rows, or the sums of the weights of rows by loss name, scalars."""
        weights = super().batch_weight(batch)
        if isinstance(weights, float) or not self.training:
            return weights
        of_task = {loss.task.name: weights[loss.name] for loss in self._losses}
        for loss in self._booster_losses:
            weights[loss.name] = of_task[loss.task.name]
        for i, j in self._alike:
            weights[f"similarity_{i}_{j}"] = of_task[self.tasks[0].name]
        for task in self.tasks:
            weights[f"hint_l2_loss{task.suffix.removesuffix(LIGHT)}"] = of_task[task.name]
        return weights

    def _unlike(self, light: Tensor, booster: Tensor) -> Tensor:
        if self._by_cosine:
            return -_ALIKE * (F.normalize(light, dim=1) * F.normalize(booster, dim=1)).sum(1)
        # Its gradient is 0 where both are alike, and not that of a root of 0.
        distance: Tensor = torch.linalg.vector_norm(light - booster, dim=1)
        return distance


def _pairs(settings: Settings) -> list[tuple[int, int]]:
    """Returns each layer of the light network with the first of the booster that has its size."""
    sizes = list(settings.booster_mlp.hidden_units)
    light = enumerate(settings.light_mlp.hidden_units)
    return [(index, sizes.index(units)) for index, units in light if units in sizes]
