"""Histograms of parameters and gradients, counted on the device, so that no parameter travels."""

from __future__ import annotations

import math

import torch

from raymon.protos.report_pb2 import Histogram

_GROWTH = 1.1
_SMALLEST = 1e-12
_LARGEST = 1e20

_positive_edges = [
    _SMALLEST * _GROWTH**i for i in range(math.ceil(math.log(_LARGEST / _SMALLEST, _GROWTH)) + 1)
]
EDGES: tuple[float, ...] = (*(-edge for edge in reversed(_positive_edges)), 0.0, *_positive_edges)
"""Edges of the buckets: zero, and both signs of 1e-12 * 1.1**i up to 1e20."""


class HistogramCounter:
    """Counts values of tensors into the buckets of `EDGES`, on their device.

    Args:
        device: Where the tensors are.
    """

    def __init__(self, device: torch.device) -> None:
        self._edges = torch.tensor(EDGES, dtype=torch.float64, device=device)

    def count(self, values: torch.Tensor) -> dict[str, torch.Tensor]:
        """Counts and moments of `values`, of any shape, without a synchronisation.

        Returns:
            `counts`: int64 `[len(EDGES) + 1]`, the first and last for values outside of the edges
            (NaN is in the last); `moments`: float64 `[4]`, minimum, maximum, sum, sum of squares.
        """
        flat = values.detach().reshape(-1).double()
        bucket = torch.bucketize(flat, self._edges)
        counts = torch.zeros(len(EDGES) + 1, dtype=torch.int64, device=flat.device)
        counts.scatter_add_(0, bucket, torch.ones_like(bucket))
        moments = torch.stack([flat.min(), flat.max(), flat.sum(), flat.square().sum()])
        return {"counts": counts, "moments": moments}


def encode_histogram(name: str, counts: torch.Tensor, moments: torch.Tensor) -> Histogram:
    """The message for what `HistogramCounter.count` gave, once it is on the CPU.

    Only the stretch of buckets that are not empty is in it; its first and last edges are clipped
    to the smallest and largest value.
    """
    minimum, maximum, total, squares = moments.tolist()
    filled = counts.nonzero().reshape(-1)
    message = Histogram(name=name, minimum=minimum, maximum=maximum, sum=total, sum_squares=squares)
    if len(filled) == 0:
        return message
    first, last = int(filled[0]), int(filled[-1])
    edges = [-math.inf, *EDGES, math.inf][first : last + 2]
    edges[0], edges[-1] = max(edges[0], minimum), min(edges[-1], maximum)
    message.edges.extend(edges)
    message.counts.extend(counts[first : last + 1].tolist())
    return message
