"""Runs every model on fake CUDA tensors under CUDA's autocast, and prints what went wrong.

What autocast does to an operation differs between CUDA and the CPU. Fake tensors have no data, but
the types that they would have. It is a process of its own, as it makes torch believe in a CUDA.
"""

from __future__ import annotations

import gc
import os
from itertools import product

import torch
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.func import functional_call

from raymon.data import Batch
from raymon.models import Model
from tests.metrics.fake_cuda import WithoutCuda
from tests.models.pipelines import batch_of, model_of, pipeline
from tests.training.loop.test_precision_of_models import SHAPES


def on_cuda(tensor: torch.Tensor) -> torch.Tensor:
    """A fake CUDA tensor of the same shape and type."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="cuda")


class Step(nn.Module):
    """The predictions and losses of a model, whose losses may have parameters too."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        predictions = self.model(batch)
        return predictions, self.model.loss(predictions, batch)


def wrong() -> list[str]:
    """Returns the models that fail, or whose predictions or losses are not float32."""
    found = []
    models = {shape: model_of(pipeline(text)) for shape, text in SHAPES.items()}
    batch = batch_of(8)
    with FakeTensorMode(), WithoutCuda(), torch.no_grad():
        fake = batch._map(on_cuda)
        for (shape, model), dtype in product(models.items(), (torch.bfloat16, torch.float16)):
            step = Step(model)
            tensors = {**dict(step.named_parameters()), **dict(step.named_buffers())}
            try:
                with torch.autocast("cuda", dtype=dtype):
                    product_type = (fake.dense["age"] @ fake.dense["age"].T).dtype
                    parts = {name: on_cuda(tensor) for name, tensor in tensors.items()}
                    predictions, losses = functional_call(step, parts, (fake,))
                assert product_type == dtype, "autocast is off"
                made = [*predictions.values(), *losses.values()]
                types = {(tensor.device.type, tensor.dtype) for tensor in made}
                assert types == {("cuda", torch.float32)}, types
            except Exception as error:
                found.append(f"{shape} in {dtype}: {type(error).__name__}: {error}")
    return found


if __name__ == "__main__":
    gc.disable()
    torch.cuda.amp.common.amp_definitely_not_available = lambda: False
    torch.cuda.is_bf16_supported = lambda including_emulation=True: True
    failed = wrong()
    print("\n".join(failed), flush=True)
    os._exit(1 if failed else 0)
