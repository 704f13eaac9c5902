"""A feature: from a column of the data to an input of the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import torch

from raymon.data.batch import IdList


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
    """An input of the model, made from one column.

    Attributes:
        name: unique among the features of a model.
        column: of the data.
        value_dim: numbers a row where the feature is dense, else 0.
        embedding: the table that its ids belong to; None where the feature is dense.
    """

    name: str
    column: str
    value_dim: int
    embedding: EmbeddingSpec | None

    @property
    def is_sparse(self) -> bool:
        """Whether the feature is ids to look up, not numbers."""
        return self.embedding is not None

    @property
    @abstractmethod
    def accepted_types(self) -> str:
        """The column types that the feature can be made from, in words for a message."""

    @abstractmethod
    def accepts(self, column_type: pa.DataType) -> bool:
        """Whether the feature can be made from a column of this type."""

    @abstractmethod
    def convert(self, column: pa.Array | pa.ChunkedArray) -> IdList | torch.Tensor:
        """The feature of B rows.

        Args:
            column: `[B]`, of an accepted type.

        Returns:
            float32 `[B, value_dim]` where the feature is dense, else the ids of the rows.

        Raises:
            DataError: a value that the feature cannot be made from; names feature, column, value.
        """
