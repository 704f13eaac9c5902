"""The last layer of a model, which makes its predictions."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from raymon.data import LabelKind
from raymon.errors import ConfigError
from raymon.models.layers.autocast import without_autocast


def predictions_of(output: Tensor, kind: LabelKind, suffix: str) -> dict[str, Tensor]:
    """Returns the predictions of a task by name.

    Args:
        output: Numbers that the last layer gives, `[B, C]` for C classes, else `[B, 1]`.
        kind: Kind of the values of the label.
        suffix: What names end in.

    Returns:
        `logits` and `probs`: `[B]` for a binary label, and `[B, C]` for a label of C classes, with
        two classes also `probs1` `[B]`, the probability of the second; `y` `[B]` for a real label.
    """
    if kind is LabelKind.REAL:
        return {f"y{suffix}": output.squeeze(1)}
    logits = output if kind is LabelKind.CLASS else output.squeeze(1)
    probs = logits.softmax(1) if kind is LabelKind.CLASS else logits.sigmoid()
    predictions = {f"logits{suffix}": logits, f"probs{suffix}": probs}
    if kind is LabelKind.CLASS and probs.shape[1] == 2:
        predictions[f"probs1{suffix}"] = probs[:, 1]
    return predictions


class Head(nn.Module):
    """One linear map for each label.

    It is computed in float32 even under autocast: logits of 8 bits would tie scores that differ.

    Args:
        in_features: Length of an input.
        kinds: Kind of the values of each label.
        num_class: Number of classes, C, of a label that is a class.
        bias: Whether the linear maps add a bias.

    Raises:
        ConfigError: There is such a label and C is 1.
    """

    def __init__(
        self,
        in_features: int,
        kinds: Mapping[str, LabelKind],
        num_class: int,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_class < 2 and LabelKind.CLASS in kinds.values():
            raise ConfigError(
                f"model_config.num_class: is {num_class}; the Head of a model gives "
                "softmax_cross_entropy a score for each of 2 classes or more"
            )
        self._kinds = dict(kinds)
        self.outputs = nn.ModuleList(
            nn.Linear(in_features, num_class if kind is LabelKind.CLASS else 1, bias=bias)
            for kind in self._kinds.values()
        )

    def forward(self, inputs: Tensor, added: Tensor | None = None) -> dict[str, Tensor]:
        """Returns the predictions, float32, with the suffix of the label if there are several.

        Args:
            inputs: Inputs, `[B, in_features]`.
            added: Numbers that are added to every output of the linear maps, `[B, 1]`; None to add
                nothing.

        Returns:
            Predictions, as `predictions_of` gives them.
        """
        predictions: dict[str, Tensor] = {}
        with without_autocast(inputs.device):
            for layer, (label, kind) in zip(self.outputs, self._kinds.items(), strict=True):
                output = layer(inputs.float())
                if added is not None:
                    output = output + added.float()
                suffix = f"_{label}" if len(self._kinds) > 1 else ""
                predictions |= predictions_of(output, kind, suffix)
        return predictions
