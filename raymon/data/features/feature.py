"""A feature: from a column of the data to an input of the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt
import pyarrow as pa
import torch

from raymon.data.batch import IdList
from raymon.data.input_counts import InputCounts


@dataclass(frozen=True)
class EmbeddingSpec:
    """The embedding table that a feature looks its ids up in.

    Attributes:
        name: of the table; features with the same name share it.
        num_embeddings: rows of the table; ids are in [0, num_embeddings).
        dim: length of an embedding.
        pooling: how the embeddings of the ids of a row become one.
        trainable: False where the table keeps its initial values.
    """

    name: str
    num_embeddings: int
    dim: int
    pooling: Literal["sum", "mean"] = "sum"
    trainable: bool = True


@dataclass(frozen=True)
class Feature(ABC):
    """An input of the model, made from one column or several.

    Attributes:
        name: unique among the features of a model.
        columns: of the data.
        value_dim: numbers a row where the feature is dense, else 0.
        embedding: the table that its ids belong to; None where the feature is dense.
    """

    name: str
    columns: tuple[str, ...]
    value_dim: int
    embedding: EmbeddingSpec | None

    @property
    def is_sparse(self) -> bool:
        """Whether the feature is ids to look up, not numbers."""
        return self.embedding is not None

    @property
    def column(self) -> str:
        """The columns, as a message names them."""
        return " and ".join(self.columns)

    @property
    def made_from_numbers(self) -> bool:
        """Whether the feature is made from the size of numbers, not from values as they are."""
        return False

    @property
    @abstractmethod
    def accepted_types(self) -> str:
        """The column types that the feature can be made from, in words for a message."""

    @abstractmethod
    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether the feature can be made from a column of this type."""

    @abstractmethod
    def convert(
        self, *columns: pa.Array | pa.ChunkedArray, counts: InputCounts | None = None
    ) -> IdList | torch.Tensor:
        """The feature of B rows.

        Args:
            columns: `[B]` each, of accepted types, in the order of `columns`.
            counts: of what is wrong and only counted.

        Returns:
            float32 `[B, value_dim]` where the feature is dense, else the ids of the rows.

        Raises:
            DataError: a value that the feature cannot be made from; names feature, column, value.
        """

    def convert_into(
        self,
        out: npt.NDArray[Any],
        *columns: pa.Array | pa.ChunkedArray,
        counts: InputCounts | None = None,
    ) -> IdList | torch.Tensor | None:
        """As `convert`, into memory that is there, where every row has one id or one number.

        Args:
            out: `[B]`, int64 where the feature is sparse, else float32.
            columns, counts: as those of `convert`.

        Returns:
            None where the feature is in `out`, else what `convert` returns.
        """
        value = self.convert(*columns, counts=counts)
        if isinstance(value, torch.Tensor):
            if value.shape[1] != 1:
                return value
            out[:] = value[:, 0].numpy()
        elif value.offsets is not None or value.weights is not None:
            return value
        else:
            out[:] = value.values.numpy()
        return None
