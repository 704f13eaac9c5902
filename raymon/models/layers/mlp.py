"""The multilayer perceptron."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from raymon.models.layers.joint_cast import cast_together
from raymon.protos import layers_pb2


class MLP(nn.Module):
    """Layers of linear map, normalization, activation and dropout, in this order.

    Args:
        in_features: Length of an input.
        config: Config of the layers. `dropout_ratio` has no entry, one for all layers, or one a
            layer.

    Attributes:
        out_features: Length of an output.
    """

    def __init__(self, in_features: int, config: layers_pb2.MLP) -> None:
        super().__init__()
        ratios = list(config.dropout_ratio) or [0.0]
        if len(ratios) == 1:
            ratios *= len(config.hidden_units)
        activation = getattr(nn, config.activation.removeprefix("nn."))
        layers: list[nn.Module] = []
        for units, ratio in zip(config.hidden_units, ratios, strict=True):
            # A batch norm subtracts the mean, and with it any bias.
            layers.append(nn.Linear(in_features, units, bias=config.bias and not config.use_bn))
            if config.use_bn:
                layers.append(_BatchNorm(units))
            if config.use_ln:
                layers.append(nn.LayerNorm(units))
            layers.append(activation())
            if ratio > 0:
                layers.append(nn.Dropout(ratio))
            in_features = units
        self.layers = nn.Sequential(*layers)
        self.out_features = in_features

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the outputs `[B, out_features]` of inputs `[B, in_features]`."""
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        parameters = [p for layer in linear for p in (layer.weight, layer.bias) if p is not None]
        cast = iter(cast_together(parameters) if parameters else ())
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                weight, bias = next(cast), None if layer.bias is None else next(cast)
                inputs = F.linear(inputs, weight, bias)
            else:
                inputs = layer(inputs)
        return inputs


class _BatchNorm(nn.BatchNorm1d):
    """Batch norm that uses the running statistics if a batch has fewer than two rows.

    The last batch of an epoch may be as small, and one row has no variance.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the normalized inputs, `[B, units]`."""
        if not self.training or inputs.shape[0] > 1:
            return super().forward(inputs)
        return F.batch_norm(
            inputs, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )
