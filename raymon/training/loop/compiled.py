"""A model whose forward and loss torch.compile has compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from raymon.data import Batch
from raymon.embeddings import EmbeddingCollection
from raymon.errors import TrainingError, first_line
from raymon.models import Model

BACKEND = "inductor"
"""Compiler of torch that the operations are given to."""

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Forward:
    """What a step calls of a model.

    Attributes:
        predict: Returns the predictions of a batch.
        loss: Returns the losses of predictions and a batch.
    """

    predict: Callable[[Batch], Tensors]
    loss: Callable[[Mapping[str, Tensor], Batch], Tensors]


def forward_of(model: Model, compiles: bool) -> Forward:
    """Returns what a step calls of a model, compiled or as it is.

    Lookups in tables are left out: they hand their gradients to others, and are few operations
    already. What is compiled serves any number of rows, from the second one on that there is.
    """
    if not compiles:
        # As the methods are when they are called.
        return Forward(
            lambda batch: model.predict(batch),
            lambda predictions, batch: model.loss(predictions, batch),
        )
    for module in model.modules():
        if isinstance(module, EmbeddingCollection):
            vars(module)["forward"] = torch.compiler.disable(module.forward)
    return Forward(
        torch.compile(model.predict, backend=BACKEND), torch.compile(model.loss, backend=BACKEND)
    )


@contextmanager
def named_failures(model: Model, compiles: bool) -> Iterator[None]:
    """Makes one line of a failure to compile a model.

    Raises:
        TrainingError: Something in the context could not be compiled.
    """
    if not compiles:
        yield
        return
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        raise TrainingError(
            f"train_config.compile: torch cannot compile {type(model).__name__}: "
            f"{first_line(error)}; leave it out"
        ) from error
