"""The towers of the tasks of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from raymon.config import Task
from raymon.data import LabelKind
from raymon.models.layers.autocast import without_autocast
from raymon.models.layers.head import predictions_of
from raymon.models.layers.mlp import MLP


class TaskTowers(nn.Module):
    """For each task an MLP, if it has one, and a linear map to its outputs.

    The linear map is computed in float32 even under autocast, as that of `Head`.

    Args:
        in_features: Length of the input of each tower.
        tasks: Tasks, each of a tower.
        kinds: Kind of the predictions of each task, by name.
        has_mlp: Whether the `mlp` of a tower goes before its linear map.
    """

    def __init__(
        self,
        in_features: Sequence[int],
        tasks: Sequence[Task],
        kinds: Mapping[str, LabelKind],
        *,
        has_mlp: bool = True,
    ) -> None:
        super().__init__()
        self._tasks = [(kinds[task.name], task.suffix) for task in tasks]
        self.mlps = nn.ModuleList()
        self.outputs = nn.ModuleList()
        for width, task in zip(in_features, tasks, strict=True):
            mlp: nn.Module = nn.Identity()
            if has_mlp and task.tower is not None and task.tower.HasField("mlp"):
                mlp = MLP(width, task.tower.mlp)
                width = mlp.out_features
            self.mlps.append(mlp)
            is_class = kinds[task.name] is LabelKind.CLASS
            self.outputs.append(nn.Linear(width, task.num_class if is_class else 1))

    def forward(self, inputs: Sequence[Tensor]) -> dict[str, Tensor]:
        """Returns the predictions of all tasks by name, float32.

        Args:
            inputs: Input of each tower, `[B, in_features]`.
        """
        predictions: dict[str, Tensor] = {}
        layers = zip(self.mlps, self.outputs, inputs, self._tasks, strict=True)
        for mlp, output, tensor, (kind, suffix) in layers:
            hidden = mlp(tensor)
            with without_autocast(hidden.device):
                predictions |= predictions_of(output(hidden.float()), kind, suffix)
        return predictions
