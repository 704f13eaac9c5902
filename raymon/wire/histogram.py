"""Histograms of parameters and gradients, counted on the device, so that no parameter is copied."""

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

_ZERO_BUCKET = EDGES.index(0.0)

_CELL_BITS = 16
"""Number of leading bits of a double that name its cell: sign, exponent, 4 bits of the fraction.

Doubles of a cell are within a factor of 17/16, which is less than `_GROWTH`: there is at most one
edge between them.
"""

_CPU_PART, _PART = 1 << 16, 1 << 22
"""Values that are counted at a time, on a CPU and elsewhere.

On a CPU they are few, so that intermediate results stay in the cache; elsewhere more, and still few
enough that the memory of intermediate results is bounded.
"""


class HistogramCounter:
    """Counts values of tensors into the buckets of `EDGES`, on their device.

    A table has the bucket of the smallest value of each cell, so that a value needs one comparison
    in place of a search among the edges: an eighth of the time on a CPU.

    Args:
        device: Device of the tensors.
    """

    def __init__(self, device: torch.device) -> None:
        edges = torch.tensor(EDGES, dtype=torch.float64)
        bucket = torch.bucketize(_smallest_of_cells(), edges)
        above = torch.cat([edges, edges.new_tensor([math.inf])])[bucket]
        self._bucket, self._above = bucket.to(device), above.to(device)
        self._part = _CPU_PART if device.type == "cpu" else _PART

    def count(self, values: torch.Tensor, zeros: int = 0) -> dict[str, torch.Tensor]:
        """Counts values of any shape, without synchronising with the device.

        Args:
            values: Tensor of any shape.
            zeros: Number of further values, all 0, that are not in the tensor.

        Returns:
            `counts`: int64 `[len(EDGES) + 1]`, the first and last for values outside of the edges
            (NaN is in the last); `moments`: float64 `[4]`, minimum, maximum, sum, sum of squares.
        """
        counts = torch.zeros(len(EDGES) + 1, dtype=torch.int64, device=values.device)
        moments = []
        if zeros:
            counts[_ZERO_BUCKET] = zeros
            moments.append(torch.zeros(4, dtype=torch.float64, device=values.device))
        flat = values.detach().reshape(-1)
        for part in flat.split(self._part) if len(flat) else ():
            part = part.double()
            bucket = self._buckets(part)
            counts.scatter_add_(0, bucket, torch.ones_like(bucket))
            moments.append(torch.stack([part.min(), part.max(), part.sum(), part.square().sum()]))
        low, high, total, squares = torch.stack(moments).unbind(1)
        return {
            "counts": counts,
            "moments": torch.stack([low.min(), high.max(), total.sum(), squares.sum()]),
        }

    def _buckets(self, values: torch.Tensor) -> torch.Tensor:
        cell = values.view(torch.int64) >> (64 - _CELL_BITS)
        cell += 1 << (_CELL_BITS - 1)
        return self._bucket.index_select(0, cell).add_(values > self._above.index_select(0, cell))


def _smallest_of_cells() -> torch.Tensor:
    """Returns the smallest value of each cell, float64 `[2^16]`; NaN where all values are.

    Cells are in the order of their bits as signed integers.
    """
    cell = torch.arange(-(1 << (_CELL_BITS - 1)), 1 << (_CELL_BITS - 1))
    bits = cell << (64 - _CELL_BITS)
    # Of the negative values of a cell the smallest has the largest bits.
    bits[cell < 0] += (1 << (64 - _CELL_BITS)) - 1
    smallest = bits.view(torch.float64)
    # The cell of minus infinity has NaNs as well, but no computation yields those.
    infinity = torch.tensor([-math.inf], dtype=torch.float64)
    smallest[cell == infinity.view(torch.int64) >> (64 - _CELL_BITS)] = -math.inf
    return smallest


def encode_histogram(name: str, counts: torch.Tensor, moments: torch.Tensor) -> Histogram:
    """Returns the message of what `HistogramCounter.count` returned, once it is on the CPU.

    It has only the buckets from the first to the last that is not empty; their outer edges are
    clipped to the smallest and largest value.

    Args:
        name: Name of the histogram.
        counts: Counts, int64 `[len(EDGES) + 1]`.
        moments: Minimum, maximum, sum and sum of squares, float64 `[4]`.
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
