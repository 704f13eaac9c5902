"""The multilayer perceptron."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from raymon.models.layers.activation import make_activation
from raymon.models.layers.batch_norm import BatchNorm
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
        layers: list[nn.Module] = []
        for units, ratio in zip(config.hidden_units, ratios, strict=True):
            # A batch norm subtracts the mean, and with it any bias.
            layers.append(nn.Linear(in_features, units, bias=config.bias and not config.use_bn))
            if config.use_bn:
                layers.append(BatchNorm(units))
            if config.use_ln:
                layers.append(nn.LayerNorm(units))
            activation = make_activation(config.activation, units)
            if activation is not None:
                layers.append(activation)
            if ratio > 0:
                layers.append(nn.Dropout(ratio))
            in_features = units
        self.layers = nn.Sequential(*layers)
        self.out_features = in_features

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the outputs `[B, out_features]` of inputs `[B, in_features]`."""
        return self.hidden(inputs)[-1]

    def hidden(self, inputs: Tensor) -> list[Tensor]:
        """Returns the outputs of every layer, each `[B, units]`."""
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        parameters = [p for layer in linear for p in (layer.weight, layer.bias) if p is not None]
        cast = iter(cast_together(parameters) if parameters else ())
        outputs: list[Tensor] = []
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                weight, bias = next(cast), None if layer.bias is None else next(cast)
                inputs = F.linear(inputs, weight, bias)
                outputs.append(inputs)
            else:
                inputs = outputs[-1] = layer(inputs)
        return outputs
