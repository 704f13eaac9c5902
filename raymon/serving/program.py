"""A model as a program of `torch.export`, which needs no class of the model to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from raymon.data import Batch, Feature, IdList
from raymon.errors import RunError, reason
from raymon.serving.program_sequences import (
    Parts,
    is_weighted,
    parts_of,
    positions_of,
    sequence_examples,
)

Inputs = tuple[Parts, Parts, Parts, Parts] | tuple[Parts, Parts, Parts, Parts, dict[str, Parts]]
"""Inputs of a program, by feature.

These are the numbers, float32 `[B, value_dim]`; for features with embeddings the ids of all rows,
int64 `[N]`, and the index at which those of each row begin, int64 `[B]`; and for weighted ones
their weights, float32 `[N]`.

If there are features of sequences, their parts follow: the index of the first position of each row,
`rows`, int64 `[B]`; a tensor as long as the longest row, `longest`; `numbers`, float32 `[P, D]`, or
the `ids` of all positions, int64 `[N]`, the index at which those of each position begin, `begins`,
int64 `[P]`, and their `weights`, float32 `[N]`.
"""

_ROWS, _IDS = 3, 5

_PREFIX = "model."
"""What the names of weights begin with in a program, and not in its model."""


class Predictor(Protocol):
    """A model that can be exported."""

    def predict(self, batch: Batch) -> Mapping[str, Tensor]:
        """Returns the predictions of a batch, by name."""


class _Program(nn.Module):
    """A module that predicts from plain tensors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        dense: dict[str, Tensor],
        ids: dict[str, Tensor],
        offsets: dict[str, Tensor],
        weights: dict[str, Tensor],
        sequences: dict[str, Parts] | None = None,
    ) -> dict[str, Tensor]:
        """Returns the predictions of the inputs of a program, by name."""
        parts = sequences or {}
        of_rows = [*dense.values(), *offsets.values(), *(part["rows"] for part in parts.values())]
        sparse = {n: IdList(values, offsets[n], weights.get(n)) for n, values in ids.items()}
        batch = Batch(
            size=of_rows[0].shape[0],
            dense=dense,
            sparse=sparse,
            sequences={name: positions_of(part) for name, part in parts.items()},
        )
        model = cast(Predictor, self.model)
        return dict(model.predict(batch))


def export_program(
    model: nn.Module, features: Sequence[Feature], together: Sequence[Sequence[str]] = ()
) -> ExportedProgram:
    """Returns the program of a model, for any number of rows and of ids.

    Args:
        model: Model in evaluation mode, on the CPU.
        features: Features that are its inputs.
        together: Names of features of sequences that have as many positions.

    Raises:
        RunError: `torch.export` cannot follow its `predict`.
    """
    rows = Dim("rows", min=1)
    dimensions: list[Any] = []
    inputs = _example(features)
    for number, group in enumerate(inputs[:4]):
        by_row = number in (0, 2)
        dimensions.append(
            {
                name: {0: rows if by_row else Dim(f"ids_{index}", min=0)}
                for index, name in enumerate(group)
            }
        )
    # There are as many weights as ids.
    dimensions[3] = {name: dict(dimensions[1][name]) for name in inputs[3]}
    arguments: tuple[Any, ...] = inputs
    if any(feature.is_sequence for feature in features):
        examples, shapes = sequence_examples(features, rows, together)
        arguments, dimensions = (*inputs[:4], examples), [*dimensions, shapes]
    try:
        with torch.no_grad():
            return torch.export.export(
                _Program(model), arguments, dynamic_shapes=tuple(dimensions), strict=False
            )
    except Exception as error:
        raise RunError(f"the model cannot be exported: torch.export: {reason(error)}") from error


def program_weights(program: ExportedProgram) -> dict[str, Tensor]:
    """Returns the parameters and buffers of a program, by their names in its model."""
    return {
        name.removeprefix(_PREFIX): value.detach() for name, value in program.state_dict.items()
    }


def set_program_weights(program: ExportedProgram, weights: Mapping[str, Tensor]) -> None:
    """Sets the parameters and buffers of a program, without copying them.

    Args:
        program: Program, which is changed.
        weights: Parameters and buffers by their names in its model.
    """
    state = program.state_dict
    for name, value in state.items():
        state[name] = _like(value, weights[name.removeprefix(_PREFIX)])


@contextmanager
def without_weights(program: ExportedProgram) -> Iterator[None]:
    """Empties the parameters and buffers of a program, until the context ends."""
    state = program.state_dict
    before = dict(state)
    try:
        for name, value in before.items():
            state[name] = _like(value, torch.empty(0, dtype=value.dtype))
        yield
    finally:
        state.update(before)


def _like(value: Tensor, other: Tensor) -> Tensor:
    """Returns another tensor as a parameter if a value is one."""
    if isinstance(value, nn.Parameter):
        return nn.Parameter(other, requires_grad=False)
    return other


def program_inputs(batch: Batch, features: Sequence[Feature]) -> Inputs:
    """Returns the inputs of a program from a batch on the CPU."""
    plain = [feature for feature in features if not feature.is_sequence]
    sparse = {f.name: batch.sparse[f.name] for f in plain if f.is_sparse}
    one_each = torch.arange(batch.size)
    inputs = (
        {f.name: batch.dense[f.name] for f in plain if not f.is_sparse},
        {name: ids.values for name, ids in sparse.items()},
        {n: one_each if ids.offsets is None else ids.offsets for n, ids in sparse.items()},
        {f.name: _weights(sparse[f.name]) for f in plain if is_weighted(f)},
    )
    names = [feature.name for feature in features if feature.is_sequence]
    weighted = {feature.name for feature in features if is_weighted(feature)}
    if not names:
        return inputs
    return *inputs, {n: parts_of(batch.sequences[n], n in weighted) for n in names}


def _example(features: Sequence[Feature]) -> tuple[Parts, Parts, Parts, Parts]:
    """Returns arbitrary rows, which show all shapes."""
    plain = [feature for feature in features if not feature.is_sequence]
    sparse = [feature.name for feature in plain if feature.is_sparse]
    starts = torch.tensor([0, 2, 3])
    return (
        {f.name: torch.ones(_ROWS, f.value_dim) for f in plain if not f.is_sparse},
        {name: torch.zeros(_IDS, dtype=torch.int64) for name in sparse},
        {name: starts.clone() for name in sparse},
        {f.name: torch.ones(_IDS) for f in plain if is_weighted(f)},
    )


def _weights(ids: IdList) -> Tensor:
    return torch.ones(len(ids.values)) if ids.weights is None else ids.weights
