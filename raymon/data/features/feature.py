"""The interface of a feature, which turns columns of the data into an input of the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from raymon.data.batch import IdList
from raymon.data.features.growth import Growth
from raymon.data.features.initializer import Initializer
from raymon.data.input_counts import InputCounts


@dataclass(frozen=True)
class EmbeddingSpec:
    """The embedding table in which a feature looks up its ids.

    Attributes:
        name: Name of the table; features with the same name share it.
        num_embeddings: Rows of the table; ids are in [0, num_embeddings), unless they grow.
        dim: Length of an embedding.
        pooling: How the embeddings of the ids of a row become one.
        trainable: Whether the table is trained; if not, it keeps its initial values.
        weighted: Whether ids of the feature come with weights.
        data_type: Type in which the rows are kept.
        init_fn: Initial values of the rows; None for uniform in +-1 / sqrt(num_embeddings).
        sharding_types: Ways in which the table may be sharded; empty if any.
        compute_kernels: Kernels that may look up its rows; empty if any.
        growth: How ids in [0, 2^63) get rows of their own as they are met; None if an id is the
            index of its row.
        of_positions: Whether the feature has ids for each position of sequences, not for each row.
    """

    name: str
    num_embeddings: int
    dim: int
    pooling: Literal["sum", "mean"] = "sum"
    trainable: bool = True
    weighted: bool = False
    data_type: Literal["FP32", "FP16", "BF16"] = "FP32"
    init_fn: Initializer | None = None
    sharding_types: tuple[str, ...] = ()
    compute_kernels: tuple[str, ...] = ()
    growth: Growth | None = None
    of_positions: bool = False


@dataclass(frozen=True)
class DenseEmbedding:
    """How the numbers of a dense feature become one embedding.

    Attributes:
        kind: Name of the layer that makes it.
        dim: Length of the embedding.
        num_channels: Number of meta embeddings of autodis.
        temperature: What the weights of autodis are divided by before their softmax.
        keep_prob: Factor of the skip connection of autodis.
    """

    kind: Literal["autodis", "mlp"]
    dim: int
    num_channels: int = 0
    temperature: float = 1.0
    keep_prob: float = 1.0


@dataclass(frozen=True)
class ColumnUse:
    """The use that a feature makes of a column.

    Attributes:
        column: Name of the column.
        accepted_types: The types that are right for it, in words for a message.
        accepts: Whether a type is right.
        from_numbers: Whether the feature computes with its values, which then are numbers.
    """

    column: str
    accepted_types: str
    accepts: Callable[[pa.DataType], bool]
    from_numbers: bool


def named(column: str) -> str:
    """Returns a column as a message names it: what another feature makes is "feature:NAME"."""
    return column.removeprefix("\0")


@dataclass(frozen=True)
class Feature(ABC):
    """An input of the model, made from one column or several.

    Attributes:
        name: Name, unique among the features of a model.
        columns: Columns of the data that it is made from.
        value_dim: Numbers a row if the feature is dense, else 0.
        embedding: Table in which its ids are looked up; None if the feature is dense.
        dense_embedding: How its numbers become an embedding; None if they stay numbers.
    """

    name: str
    columns: tuple[str, ...]
    value_dim: int
    embedding: EmbeddingSpec | None
    dense_embedding: DenseEmbedding | None = field(default=None, kw_only=True)

    @property
    def is_sparse(self) -> bool:
        """Whether the feature is ids to look up, not numbers."""
        return self.embedding is not None

    @property
    def embedding_dim(self) -> int:
        """The length of its embedding in a model, of ids or of numbers; 0 if it stays numbers."""
        if self.embedding is not None:
            return self.embedding.dim
        return 0 if self.dense_embedding is None else self.dense_embedding.dim

    @property
    def is_sequence(self) -> bool:
        """Whether a row has any number of positions, each with ids or numbers."""
        return False

    @property
    def is_hashed(self) -> bool:
        """Whether its ids are hashes of values, modulo the rows of the table."""
        return False

    @property
    def has_lists(self) -> bool:
        """Whether rows are expected to have several ids, or ids with weights; others may too."""
        return False

    @property
    def column(self) -> str:
        """The columns, as a message names them."""
        return " and ".join(named(column) for column in self.columns)

    @property
    def made_from_numbers(self) -> bool:
        """Whether the feature computes with the values of its columns, which then are numbers."""
        return False

    @property
    def uses(self) -> tuple[ColumnUse, ...]:
        """What the feature makes of each of its columns."""
        return tuple(
            ColumnUse(column, self.accepted_types, self.accepts, self.made_from_numbers)
            for column in self.columns
        )

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
        """Returns the feature of B rows.

        Args:
            *columns: Columns `[B]` of accepted types, in the order of `columns`.
            counts: Counts of what is wrong but does not stop the run; None if nothing is to be
                counted.

        Returns:
            float32 `[B, value_dim]` if the feature is dense, else the ids of the rows.

        Raises:
            DataError: The feature cannot be made from a value; the message names feature, column
                and value.
        """

    def convert_into(
        self,
        out: npt.NDArray[Any],
        *columns: pa.Array | pa.ChunkedArray,
        counts: InputCounts | None = None,
    ) -> IdList | torch.Tensor | None:
        """Converts into given memory, if every row has exactly one id or one number.

        Args:
            out: Memory for the result `[B]`, int64 if the feature is sparse, else float32.
            *columns: Columns, as for `convert`.
            counts: Counts, as for `convert`.

        Returns:
            None if the feature is in `out`, else what `convert` returns.
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

    @property
    def output_type(self) -> pa.DataType:
        """The type of what other features get of this one, see `output`."""
        kind = pa.int64() if self.is_sparse else pa.float64()
        return pa.large_list(kind) if self.has_lists or self.value_dim > 1 else kind

    def output(self, *columns: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Returns what other features get of this one: its ids or numbers, or lists of them.

        Args:
            *columns: Columns `[B]`, as for `convert`.

        Returns:
            A column `[B]`; weights of ids are left out.

        Raises:
            DataError: As `convert`.
        """
        value = self.convert(*columns)
        if isinstance(value, torch.Tensor):
            numbers = value.to(torch.float64).numpy()
            if numbers.shape[1] == 1:
                return pa.array(numbers[:, 0])
            ends = np.arange(0, numbers.size + 1, numbers.shape[1])
            return pa.LargeListArray.from_arrays(pa.array(ends), pa.array(numbers.ravel()))
        ids = pa.array(value.values.numpy())
        if value.offsets is None:
            return ids
        ends = np.append(value.offsets.numpy(), len(ids))
        return pa.LargeListArray.from_arrays(pa.array(ends), ids)
