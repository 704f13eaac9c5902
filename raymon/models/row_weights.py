"""Weights of the rows of a batch in the losses and the metrics of a task."""

from __future__ import annotations

import torch
from torch import Tensor

from raymon.config import Task
from raymon.data import Batch


def sample_weights(task: Task, batch: Batch) -> Tensor | None:
    """Returns the sample weights of rows, `[B]`; None if every row weighs 1."""
    return None if task.sample_weight is None else batch.weights[task.sample_weight]


def loss_weights(task: Task, batch: Batch) -> Tensor | None:
    """Returns the weights of rows in the losses of a task, `[B]`; None if every row weighs 1.

    They are the sample weights, times the weight of the space that a row is in: inside, where the
    indicator of the task is above 0, or outside.
    """
    weights, tower = sample_weights(task, batch), task.tower
    if tower is None or task.indicator is None:
        return weights
    indicator = batch.labels[task.indicator]
    inside = torch.full_like(indicator, tower.in_task_space_weight)
    outside = torch.full_like(indicator, tower.out_task_space_weight)
    space = torch.where(indicator > 0, inside, outside)
    return space if weights is None else weights * space
