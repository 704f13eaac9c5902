"""The initial values of tables, which any worker can make for the rows that it holds alone.

A table is drawn in blocks of rows, each by a generator of its own, so that a value depends on the
seed, the name and the shape of the table and on its place there, and never on who holds it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import torch
from torch import Tensor

from raymon.data import Initializer

BLOCK_ROWS = 65_536
"""Rows of a table that one generator draws."""

_CONSTANTS = {"zeros_": 0.0, "ones_": 1.0}

_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}

_Draw = Callable[[Tensor, torch.Generator], Tensor]


def draw_seed() -> int:
    """Draws a seed for tables from torch's default generator; the same after the same seed."""
    return int(torch.randint(2**63 - 1, (), device="cpu").item())


@torch.no_grad()
def fill(
    into: Tensor,
    name: str,
    full_shape: tuple[int, int],
    init: Initializer | None,
    seed: int,
    *,
    first_row: int = 0,
    first_column: int = 0,
) -> None:
    """Fills a part of a table with its initial values.

    They are drawn in float32 on the CPU, and rounded if the type of the part is another.

    Args:
        into: The part, `[n, d]`, on any device; nothing is done on "meta".
        name: Name of the table.
        full_shape: Rows and columns of the whole table, `[N, D]`.
        init: Initializer; None for uniform in +-1 / sqrt(N) (Naumov et al. 2019, the reference
            implementation of DLRM).
        seed: Seed of the tables of a model.
        first_row: Row of the table that is the first of the part.
        first_column: Column of the table that is the first of the part.
    """
    rows, columns = into.shape
    if into.is_meta or not into.numel():
        return
    draw = _drawing(init, full_shape)
    # Consecutive, because torch's generator takes 32 bits of a seed: hashes of so many blocks
    # would meet, and two blocks of a table be the same.
    first_seed = _hash(seed, name, full_shape)
    generator = torch.Generator()
    is_whole = columns == full_shape[1] and into.is_cpu and into.is_contiguous()
    in_place = is_whole and into.dtype == torch.float32
    scratch: Tensor | None = None
    end_row = first_row + rows
    for block in range(first_row // BLOCK_ROWS, math.ceil(end_row / BLOCK_ROWS)):
        start = block * BLOCK_ROWS
        end = min(start + BLOCK_ROWS, full_shape[0])
        low, high = max(start, first_row), min(end, end_row)
        part = into[low - first_row : high - first_row]
        generator.manual_seed((first_seed + block) % 2**32)
        if in_place and (low, high) == (start, end):
            draw(part, generator)
            continue
        if scratch is None:
            scratch = torch.empty(min(BLOCK_ROWS, full_shape[0]), full_shape[1])
        values = draw(scratch[: end - start], generator)
        part.copy_(values[low - start : high - start, first_column : first_column + columns])


@torch.no_grad()
def initial_rows(
    count: int, full_shape: tuple[int, int], init: Initializer | None, generator: torch.Generator
) -> Tensor:
    """Returns new initial values of rows of a table, float32 `[count, D]`, on the CPU.

    Args:
        count: Number of rows.
        full_shape: Rows and columns of the whole table, `[N, D]`.
        init: Initializer; None for that of `fill`.
        generator: Generator to draw from.
    """
    return _drawing(init, full_shape)(torch.empty(count, full_shape[1]), generator)


def _hash(seed: int, name: str, shape: tuple[int, int]) -> int:
    text = f"{seed} {shape[0]} {shape[1]} {name}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def _drawing(init: Initializer | None, shape: tuple[int, int]) -> _Draw:
    """Returns the function that draws a block of a table `[N, D]`.

    It is what `torch.nn.init` would do with the whole table: there D is the fan-in, N the fan-out.
    """
    rows, dim = shape
    if init is None:
        return _uniform(-1 / math.sqrt(rows), 1 / math.sqrt(rows))
    name = init.name
    if name == "uniform_":
        return _uniform(init["a"], init["b"])
    if name == "normal_":
        return _normal(init["mean"], init["std"])
    if name == "trunc_normal_":
        return _truncated_normal(init["mean"], init["std"], init["a"], init["b"])
    if name.startswith("xavier"):
        # Glorot & Bengio 2010, equation 16.
        std = init["gain"] * math.sqrt(2 / (rows + dim))
    elif name.startswith("kaiming"):
        # He et al. 2015, equation 14.
        fan = dim if init.word("mode") == "fan_in" else rows
        std = _gain(init.word("nonlinearity"), init["a"]) / math.sqrt(fan)
    else:
        return _constant(_CONSTANTS[name] if name in _CONSTANTS else init["val"])
    if name.endswith("normal_"):
        return _normal(0, std)
    return _uniform(-math.sqrt(3) * std, math.sqrt(3) * std)


def _gain(nonlinearity: str, slope: float) -> float:
    """Returns what `torch.nn.init.calculate_gain` does."""
    return _GAINS.get(nonlinearity) or math.sqrt(2 / (1 + slope**2))


def _uniform(low: float, high: float) -> _Draw:
    return lambda block, generator: block.uniform_(low, high, generator=generator)


def _normal(mean: float, std: float) -> _Draw:
    return lambda block, generator: block.normal_(mean, std, generator=generator)


def _constant(value: float) -> _Draw:
    return lambda block, _: block.fill_(value)


def _truncated_normal(mean: float, std: float, low: float, high: float) -> _Draw:
    """Returns a function that draws by the inverse of the distribution, in float64."""
    bounds = [math.erf((bound - mean) / (std * math.sqrt(2))) for bound in (low, high)]

    def draw(block: Tensor, generator: torch.Generator) -> Tensor:
        values = torch.empty(block.shape, dtype=torch.float64)
        values.uniform_(*bounds, generator=generator).erfinv_().mul_(std * math.sqrt(2)).add_(mean)
        return block.copy_(values.clamp_(low, high))

    return draw
