"""Batch normalization of batches of any size."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm1d):
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
