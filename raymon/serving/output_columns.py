"""The columns of an output: columns of the input, and predictions."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from torch import Tensor

from raymon.data import DataReader
from raymon.errors import DataError, RunError
from raymon.serving.scorer import Scorer


@dataclass(frozen=True)
class OutputColumns:
    """The columns of an output.

    Attributes:
        kept: Columns of the input that are copied, in the types that are right for all files.
        written: Names of all columns, in their order; None for the columns that are kept and then
            all predictions.
    """

    kept: pa.Schema
    written: tuple[str, ...] | None = None

    def table(self, kept: pa.Table, predictions: Mapping[str, Tensor]) -> pa.Table:
        """Returns the rows of a batch as they are written.

        Args:
            kept: Rows of the columns that are kept.
            predictions: Predictions of the same rows, by name.

        Raises:
            RunError: A prediction has the name of a column that is kept.
        """
        columns = {name: kept[name] for name in kept.column_names}
        both = columns.keys() & predictions.keys()
        if both:
            raise RunError(f"--keep {min(both)}: is the name of a prediction too")
        wanted = predictions if self.written is None else predictions.keys() & {*self.written}
        columns |= {name: _array(predictions[name]) for name in predictions if name in wanted}
        names = list(columns) if self.written is None else self.written
        return pa.table({name: columns[name] for name in names})


def choose_columns(
    scorer: Scorer, reader: DataReader, keep: Sequence[str], output_columns: Sequence[str]
) -> OutputColumns:
    """Returns the columns of an output.

    Args:
        scorer: Scorer of the predictions.
        reader: Reader of the input.
        keep: Columns of the input that are copied.
        output_columns: Predictions and columns of the input that are written after those, in this
            order; empty for all predictions.

    Raises:
        UserError: A column is neither in the input nor a prediction, or it is both.
    """
    if not output_columns:
        return OutputColumns(_schema(reader, dict.fromkeys(keep), "--keep"))
    predictions = scorer.predictions()
    written = tuple(dict.fromkeys([*keep, *output_columns]))
    of_input = [name for name in written if name not in predictions or name in keep]
    there = reader.column_names
    for name in of_input:
        if name in predictions:
            raise RunError(f"--keep {name}: is the name of a prediction too")
        if name not in keep and name not in there:
            raise DataError(f"--output-columns {name}: {_unknown(name, predictions, there)}")
    for name in set(predictions) & {*written} & {*there}:
        raise RunError(f"--output-columns {name}: is a prediction, and a column of the input too")
    flag = "--keep" if keep else "--output-columns"
    return OutputColumns(_schema(reader, dict.fromkeys(of_input), flag), written)


def _schema(reader: DataReader, names: Mapping[str, None], flag: str) -> pa.Schema:
    try:
        return reader.schema(list(names))
    except DataError as error:
        raise DataError(f"{flag}: {error}") from None


def _unknown(name: str, predictions: Sequence[str], columns: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, [*predictions, *columns], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return (
        f"is neither a prediction nor a column of the input; {hint}"
        f"the predictions are {', '.join(predictions)}"
    )


def _array(prediction: Tensor) -> pa.Array:
    array = prediction.detach().float().cpu().numpy()
    if array.ndim == 1:
        return pa.array(array)
    flat = pa.array(array.reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, array[0].size)
