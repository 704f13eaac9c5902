"""Gradients of an optimizer step: clipped, and measured on demand."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from raymon.models import Model
from raymon.protos.train_pb2 import GradClippingConfig
from raymon.recorder import Recorder
from raymon.wire import HistogramCounter


class GradientClipper:
    """Clips the gradients of dense parameters by norm or by value.

    Those of embedding tables are clipped by their optimizer, as its config says.

    Args:
        config: The kind of clipping, and its limit.
        model: Model with the gradients.
    """

    def __init__(self, config: GradClippingConfig, model: Model) -> None:
        self._config = config
        self._parameters = model.dense_parameters()

    def clip(self) -> None:
        """Clips in place, without a synchronisation."""
        limit = self._config.max_gradient
        if self._config.clipping_type == "norm":
            nn.utils.clip_grad_norm_(self._parameters, limit, self._config.norm_type)
        elif self._config.clipping_type == "value":
            nn.utils.clip_grad_value_(self._parameters, limit)


class GradientSummaries:
    """Norms and histograms of gradients and parameters, for TensorBoard.

    Gradients are those of all trained parameters including embedding tables, before clipping by
    grad_clipping and after the exchange between ranks, so one rank is enough to measure them.

    Args:
        summaries: Any of global_gradient_norm, gradient_norm, gradient and parameter.
        model: Model with the gradients.
        recorder: Recorder that takes the measurements.
        device: Device of the model.
    """

    def __init__(
        self, summaries: Iterable[str], model: Model, recorder: Recorder, device: torch.device
    ) -> None:
        self._summaries = frozenset(summaries)
        self._model = model
        self._recorder = recorder
        self._counter = HistogramCounter(device)

    def measure(self) -> None:
        """Measures the current gradients."""
        parameters = dict(self._model.named_parameters())
        of_tables = {
            id(table.weight): table.rows.measured()
            for table in self._model.sparse_tables()
            if table.rows is not None
        }
        found = {n: of_tables.get(id(p), p.grad) for n, p in parameters.items()}
        gradients = {name: g for name, g in found.items() if g is not None}
        self._measure_norms(gradients)
        for name, gradient in gradients.items():
            if "parameter" in self._summaries:
                self._recorder.add_histogram(name, self._counter.count(parameters[name]))
            if "gradient" in self._summaries:
                counted = self._counter.count(*_values_and_zeros(gradient))
                self._recorder.add_histogram(f"{name}/gradient", counted)

    def _measure_norms(self, gradients: dict[str, torch.Tensor]) -> None:
        wanted = self._summaries & {"global_gradient_norm", "gradient_norm"}
        if not wanted or not gradients:
            return
        norms = {name: torch.linalg.vector_norm(_values(g)) for name, g in gradients.items()}
        if "global_gradient_norm" in wanted:
            total = torch.linalg.vector_norm(torch.stack(list(norms.values())))
            self._recorder.add_gradient_norms({"global_gradient_norm": total})
        if "gradient_norm" in wanted:
            self._recorder.add_gradient_norms(
                {f"{name}/gradient_norm": norm for name, norm in norms.items()}
            )


def _values(gradient: torch.Tensor) -> torch.Tensor:
    # The gradient of a large table has only the rows that were looked up.
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def _values_and_zeros(gradient: torch.Tensor) -> tuple[torch.Tensor, int]:
    values = _values(gradient)
    return values, gradient.numel() - values.numel()
