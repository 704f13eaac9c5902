"""Values that a class of the user makes of columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from raymon.data.features.operators.operator import Operator
from raymon.errors import reason


@dataclass(frozen=True)
class Custom(Operator):
    """What a function of Arrow columns returns: one value, or one list of values, for each row.

    Attributes:
        function: Function of as many columns as the feature has.
        is_numbers: Whether its values are numbers, and not texts or integers that become ids.
    """

    function: Callable[..., Any]
    is_numbers: bool

    @property
    def output_type(self) -> pa.DataType:
        """Numbers or texts."""
        return pa.float64() if self.is_numbers else pa.large_string()

    def accepted_types(self, index: int) -> str:
        """Returns the accepted types, in words for a message."""
        return "any values"

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """True: the function sees to it."""
        return True

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the values of each row."""
        try:
            values = self.function(*columns)
        except Exception as error:  # the code of the user may raise anything
            raise ValueError(f"its operator failed: {reason(error)}") from error
        values = values if isinstance(values, pa.Array) else pa.array(values)
        if len(values) != len(columns[0]):
            raise ValueError(
                f"its operator returned {len(values)} values for {len(columns[0])} rows; it must "
                "return one for each"
            )
        return values
