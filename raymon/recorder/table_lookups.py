"""The lookups in embedding tables, as the training thread keeps them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from raymon.data import Batch, IdList
from raymon.embeddings import EmbeddingCollection, GrowingIds, LookupCounter
from raymon.recorder.background_lookups import BackgroundLookups, Lookups
from raymon.wire import TableLayout, TableSpec

IDS_A_HANDOVER = 1 << 20
"""Ids at which kept lookups are handed over. More would take memory that batches could reuse."""

MOST_IDS = 1 << 23
"""Most ids that may wait for the background thread; further lookups are not counted."""

BYTES_AN_ID = 64
"""Bytes of a batch that count as an id, where it has few ids: they keep the memory of all of it."""

OnError = Callable[[Exception], None]


class TableLookups:
    """Keeps what the collections of a model look up, until a background thread counts it.

    The training thread keeps references to ids, and in the last step of a window to embeddings, and
    does nothing with them. Only lookups of training are kept, not those of an evaluation.

    Args:
        collections: Collections of tables by their name in the model. A table whose name several of
            them have is known as `{collection}.{table}`.
        hashed: Names of tables whose ids are hashes.
        rank: Rank of this worker; rank 0 alone reports what all ranks know of tables that grow.

    Attributes:
        keeps_embeddings: Whether the next lookup ends a window, so that its embeddings are kept.
        on_error: Called with an exception that keeping or counting lookups raised.
    """

    def __init__(
        self,
        collections: Mapping[str, EmbeddingCollection],
        hashed: Collection[str] = (),
        rank: int = 0,
    ) -> None:
        names = {key: _names(collection) for key, collection in collections.items()}
        used = Counter(name for of_collection in names.values() for name in of_collection)
        self._is_first_rank = rank == 0
        self._growing: dict[str, GrowingIds] = {}
        self._kept: list[Lookups] = []
        self._ids = 0
        # Rows of the newest batch of each collection, and the ids of the first one of that size.
        self._sizes: dict[nn.Module, tuple[int, int]] = {}
        # Each is written by one thread alone: ids that were handed over, and counted.
        self._handed_over = 0
        self._counted = 0
        self._is_lost = False
        self.keeps_embeddings = False
        self.on_error: OnError = _ignore
        # Rows of the ids of tables that grow, in the order of the features.
        self._rows_of_ids: list[Tensor] = []
        tables: dict[str, TableSpec] = {}
        for key, collection in collections.items():
            features = {}
            for feature, spec in collection.specs.items():
                name = spec.name if used[spec.name] == 1 else f"{key}.{spec.name}"
                tables.setdefault(name, TableSpec(name, spec.num_embeddings, spec.name in hashed))
                features[feature] = list(tables).index(name)
            for ids in collection.growing.values():
                if isinstance(ids, GrowingIds):
                    name = ids.name if used[ids.name] == 1 else f"{key}.{ids.name}"
                    self._growing[name] = ids
                    ids.register_forward_hook(self._found_rows)
            collection.register_forward_hook(partial(self._looked_up, features))
        self._counter = LookupCounter(TableLayout(tables.values()))

    def step(self, stream: torch.cuda.Stream | None) -> BackgroundLookups | None:
        """Returns the lookups that are kept, for a background thread; None while there are few.

        Args:
            stream: CUDA stream for the copies; None on the CPU.
        """
        return self._take(stream) if self._ids >= IDS_A_HANDOVER else None

    def take(self, stream: torch.cuda.Stream | None) -> BackgroundLookups:
        """Returns the lookups that are left of a window, as `step` does."""
        lookups = self._take(stream)
        try:
            lookups.growth = {name: ids.take_counts() for name, ids in self._growing.items()}
        except Exception as error:  # never into the training
            self.on_error(error)
        return lookups

    def _take(self, stream: torch.cuda.Stream | None) -> BackgroundLookups:
        kept, self._kept = self._kept, []
        count, self._ids = self._ids, 0
        lost, self._is_lost = self._is_lost, False
        self._handed_over += count
        return BackgroundLookups(
            self._counter,
            kept,
            stream,
            self.on_error,
            lambda: self._add_counted(count),
            lost,
            self._is_first_rank,
        )

    def _add_counted(self, count: int) -> None:
        self._counted += count

    def _found_rows(self, module: nn.Module, arguments: tuple[Any, ...], rows: Tensor) -> None:
        if _trains(module):
            self._rows_of_ids.append(rows)

    def _looked_up(
        self,
        features: Mapping[str, int],
        module: nn.Module,
        arguments: tuple[Any, ...],
        embeddings: Mapping[str, Tensor] | Tensor,
    ) -> None:
        if not _trains(module):
            return
        rows_of_ids, self._rows_of_ids = self._rows_of_ids, []
        try:
            batch: Batch = arguments[0]
            rows, count = self._sizes.get(module, (-1, 0))
            if batch.size != rows:
                # Batches of one size have about as many ids; adding them up takes 10 us.
                given = batch.looked_up()
                count = sum(given[feature].values.numel() for feature in features)
                count = max(count, batch.nbytes // BYTES_AN_ID)
                self._sizes[module] = batch.size, count
            if self._handed_over - self._counted + self._ids + count > MOST_IDS:
                raise RuntimeError("lookups in tables come faster than they can be counted")
            kept = {}
            if self.keeps_embeddings:
                kept = _by_feature(embeddings, features)
            ids = _rows_looked_up(module, batch.looked_up(), rows_of_ids)
            self._kept.append(Lookups(features, ids, kept))
            self._ids += count
        except Exception as error:  # never into the training
            self._is_lost = True
            self.on_error(error)


def _by_feature(
    embeddings: Mapping[str, Tensor] | Tensor, features: Mapping[str, int]
) -> dict[str, Tensor]:
    if isinstance(embeddings, Tensor):
        return dict(zip(features, embeddings.detach().unbind(1), strict=True))
    return {name: embeddings[name].detach() for name in features}


def _trains(module: nn.Module) -> bool:
    return module.training and torch.is_grad_enabled()


def _rows_looked_up(
    module: nn.Module, sparse: Mapping[str, IdList], rows_of_ids: Sequence[Tensor]
) -> Mapping[str, IdList]:
    """Returns the rows that features look up, by feature, in place of ids that have other rows."""
    assert isinstance(module, EmbeddingCollection)
    if not module.growing:
        return sparse
    growing = [feature for feature, spec in module.specs.items() if spec.growth is not None]
    found = dict(sparse)
    for feature, rows in zip(growing, rows_of_ids, strict=True):
        found[feature] = replace(sparse[feature], values=rows)
    return found


def _names(collection: EmbeddingCollection) -> set[str]:
    return {spec.name for spec in collection.specs.values()}


def _ignore(error: Exception) -> None:
    """Does nothing with an exception."""
