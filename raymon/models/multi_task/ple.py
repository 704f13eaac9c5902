"""PLE: layers of experts of tasks and of shared ones.

Tang et al., Progressive Layered Extraction (PLE): A Novel Multi-Task Learning Model for
Personalized Recommendations, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from raymon.data import Batch, Feature
from raymon.models.layers.experts import Gate
from raymon.models.layers.mlp import MLP
from raymon.models.layers.task_tower import TaskTowers
from raymon.models.multi_task.multi_task_model import MultiTaskModel
from raymon.protos import multi_task_model_pb2
from raymon.protos.model_pb2 import ModelConfig


class ExtractionNetwork(nn.Module):
    """A layer of experts, mixed for each task and for the next layer (section 4.2).

    The gate of a task mixes its experts and the shared ones, by its own input; the shared gate
    mixes all experts. The last layer has no shared gate, as nothing takes its output.

    Args:
        in_features: Length of each input.
        num_task: Number of tasks.
        config: Config of the experts.
        is_last: Whether this is the last layer.

    Attributes:
        out_features: Length of each output.
    """

    def __init__(
        self,
        in_features: int,
        num_task: int,
        config: multi_task_model_pb2.ExtractionNetwork,
        *,
        is_last: bool,
    ) -> None:
        super().__init__()
        own, shared = config.expert_num_per_task, config.share_num
        self.shared_experts = nn.ModuleList(
            MLP(in_features, config.share_expert_net) for _ in range(shared)
        )
        self.experts = nn.ModuleList(
            nn.ModuleList(MLP(in_features, config.task_expert_net) for _ in range(own))
            for _ in range(num_task)
        )
        self.gates = nn.ModuleList(Gate(in_features, own + shared) for _ in range(num_task))
        self.shared_gate: Gate | None = None
        if not is_last:
            self.shared_gate = Gate(in_features, num_task * own + shared)
        self.out_features = config.task_expert_net.hidden_units[-1]

    def forward(self, inputs: Sequence[Tensor], shared: Tensor) -> tuple[list[Tensor], Tensor]:
        """Returns the outputs of the tasks and the shared one, each `[B, out_features]`.

        Args:
            inputs: Input of each task, `[B, in_features]`.
            shared: Shared input, `[B, in_features]`; it is returned by the last layer.
        """
        of_all = [expert(shared) for expert in self.shared_experts]
        of_tasks, outputs = [], []
        for experts, gate, tensor in zip(self.experts, self.gates, inputs, strict=True):
            assert isinstance(experts, nn.ModuleList)
            own = [expert(tensor) for expert in experts]
            outputs.append(gate(tensor, [*own, *of_all]))
            of_tasks += own
        if self.shared_gate is None:
            return outputs, shared
        return outputs, self.shared_gate(shared, [*of_tasks, *of_all])


class PLE(MultiTaskModel):
    """Layers of experts over the features of the first group, and towers over the last layer.

    Args:
        config: The model_config of the pipeline.
        features: All features of the pipeline, in the order of the config.
        labels: All columns of labels.
        sample_weights: Columns of sample weights that towers name.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: Sequence[Feature],
        labels: Sequence[str],
        sample_weights: Sequence[str] = (),
    ) -> None:
        super().__init__(config, features, labels, sample_weights)
        networks, width = config.ple.extraction_networks, self.in_features
        self.networks = nn.ModuleDict()
        for index, each in enumerate(networks):
            is_last = index == len(networks) - 1
            network = ExtractionNetwork(width, len(self.tasks), each, is_last=is_last)
            # In the names of parameters; one without a name is known by its place.
            self.networks[f"{index}_{each.network_name}".replace(".", "_")] = network
            width = network.out_features
        self.towers = TaskTowers([width] * len(self.tasks), self.tasks, self.kinds)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the predictions of all towers, by name."""
        shared = self.shared(batch)
        of_tasks = [shared] * len(self.tasks)
        for network in self.networks.values():
            of_tasks, shared = network(of_tasks, shared)
        predictions: dict[str, Tensor] = self.towers(of_tasks)
        return predictions
