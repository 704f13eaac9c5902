"""The focal loss: Lin et al., Focal Loss for Dense Object Detection, 2017."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def binary_focal_loss(logits: Tensor, label: Tensor, gamma: float, alpha: float) -> Tensor:
    """Returns -a (1 - q)^gamma log q, with the probability q of the right class (equation 5).

    a (1 - q)^gamma counts as a weight of the row: no gradient goes through it, so that a config
    trains the model that it trains elsewhere.

    Args:
        logits: Logits of the positive class, `[B]`.
        label: Labels, 0 or 1, `[B]`.
        gamma: Exponent, at least 0.
        alpha: a of a positive; that of a negative is 1 - alpha.

    Returns:
        The losses, `[B]`.
    """
    wrong = (label - logits.detach().sigmoid()).abs()
    weight = (alpha * label + (1 - alpha) * (1 - label)) * wrong.pow(gamma)
    return F.binary_cross_entropy_with_logits(logits, label, weight, reduction="none")
