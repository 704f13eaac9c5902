"""Gradients of an optimizer step: clipped, and measured on demand."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from raymon.embeddings import RowGradients, numbers_of
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
        tables = {
            id(table.weight): table.rows
            for table in self._model.sparse_tables()
            if table.rows is not None
        }
        norms = {}
        for name, parameter in self._model.named_parameters():
            # One after the other, since the numbers of a large table may be as many as it has.
            numbers = _numbers(parameter, tables.get(id(parameter)))
            if numbers is None:
                continue
            if self._summaries & {"global_gradient_norm", "gradient_norm"}:
                norms[name] = torch.linalg.vector_norm(numbers[0])
            if "parameter" in self._summaries:
                self._recorder.add_histogram(name, self._counter.count(parameter))
            if "gradient" in self._summaries:
                counted = self._counter.count(*numbers)
                self._recorder.add_histogram(f"{name}/gradient", counted)
        self._add_norms(norms)

    def _add_norms(self, norms: dict[str, torch.Tensor]) -> None:
        if "global_gradient_norm" in self._summaries and norms:
            total = torch.linalg.vector_norm(torch.stack(list(norms.values())))
            self._recorder.add_gradient_norms({"global_gradient_norm": total})
        if "gradient_norm" in self._summaries:
            self._recorder.add_gradient_norms(
                {f"{name}/gradient_norm": norm for name, norm in norms.items()}
            )


def _numbers(parameter: nn.Parameter, rows: RowGradients | None) -> tuple[torch.Tensor, int] | None:
    if rows is not None:
        return rows.measured()
    return None if parameter.grad is None else numbers_of(parameter.grad)
