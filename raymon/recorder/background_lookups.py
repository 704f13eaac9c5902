"""Lookups in embedding tables, counted by a background thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from raymon.data import IdList
from raymon.embeddings import GrowthCounts, LookupCounter
from raymon.recorder.offload import Offload
from raymon.wire import OCCUPIED_ROWS, TableSketches


@dataclass
class Lookups:
    """What one step looked up in the tables of a collection.

    Attributes:
        tables: Table of each feature, by its index.
        ids: Ids by feature, of these and other features.
        embeddings: Pooled embeddings `[B, dim]` by feature; empty if norms are not wanted.
        versions: Version of each of these when it was kept, by feature: it changes when somebody
            writes into the tensor.
    """

    tables: Mapping[str, int]
    ids: Mapping[str, IdList]
    embeddings: Mapping[str, Tensor]
    versions: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.versions = {name: tensor._version for name, tensor in self.embeddings.items()}


class BackgroundLookups:
    """Lookups that wait for a background thread, which counts them.

    On CUDA they are copied on a separate stream, after the work that is queued when this is made.

    Args:
        counter: Counter of this rank, which this thread alone uses.
        lookups: Lookups of some steps.
        stream: CUDA stream for the copies; None on the CPU.
        on_error: Called with an exception that the counting raised.
        on_counted: Called when these lookups are kept no more.
        lost: Whether lookups before these could not be kept.
        is_first_rank: Whether this rank reports what all ranks know of tables that grow.

    Attributes:
        growth: What happened to the tables that grow in the window, by table.
    """

    def __init__(
        self,
        counter: LookupCounter,
        lookups: Sequence[Lookups],
        stream: torch.cuda.Stream | None,
        on_error: Callable[[Exception], None],
        on_counted: Callable[[], None],
        lost: bool = False,
        is_first_rank: bool = True,
    ) -> None:
        self._counter = counter
        self._lookups = lookups
        self._stream = stream
        self._on_error = on_error
        self._on_counted = on_counted
        self._lost = lost
        self._is_first_rank = is_first_rank
        self.growth: Mapping[str, GrowthCounts] = {}
        if stream is not None:
            stream.wait_stream(torch.cuda.current_stream(stream.device))

    def add(self) -> None:
        """Counts the lookups."""
        lookups, self._lookups = self._lookups, ()
        try:
            if self._lost:
                self._counter.lose()
            with torch.cuda.stream(self._stream):
                # Table by table, as the counts of one table fit into the cache.
                for table, parts in self._ids(lookups).items():
                    self._counter.add(table, parts)
                for each in lookups:
                    for feature in each.embeddings:
                        self._add_norms(each, feature)
        except Exception as error:  # lookups that cannot be counted cost only themselves
            self._counter.lose()
            self._on_error(error)
        finally:
            self._on_counted()

    def wait(self) -> TableSketches:
        """Counts the lookups, which are the last of a window.

        Returns:
            All lookups of the window.
        """
        self.add()
        sketches = self._counter.take()
        try:
            with torch.cuda.stream(self._stream):
                self._add_growth(sketches)
        except Exception as error:  # counts that cannot be had cost only themselves
            self._on_error(error)
        return sketches

    def _add_growth(self, sketches: TableSketches) -> None:
        missed = {name: counts.fallback_lookups for name, counts in self.growth.items()}
        for table, lookups in self._on_host(missed).items():
            counts = self.growth[table]
            sketches.counts[table, "fallback_lookups"] = int(lookups)
            # What every rank knows of the whole table is reported once.
            if self._is_first_rank:
                sketches.counts[table, "admitted"] = counts.admitted
                sketches.counts[table, "evicted"] = counts.evicted
                sketches.levels[table, OCCUPIED_ROWS] = counts.occupancy

    def _ids(self, lookups: Sequence[Lookups]) -> dict[int, list[Tensor]]:
        """Returns the ids of each table, on the CPU."""
        parts: dict[int, list[Tensor]] = {}
        for each in lookups:
            for feature, table in each.tables.items():
                parts.setdefault(table, []).append(each.ids[feature].values)
        if self._stream is None:
            return parts
        joined = {str(table): torch.cat(of_table) for table, of_table in parts.items()}
        for of_table in parts.values():
            for values in of_table:
                self._keep(values)
        arrived = Offload(joined, self._stream).wait()
        return {int(table): [ids] for table, ids in arrived.items()}

    def _add_norms(self, lookups: Lookups, feature: str) -> None:
        ids, embeddings = lookups.ids[feature], lookups.embeddings[feature]
        if ids.weights is not None or lookups.versions[feature] != embeddings._version:
            # Neither a product nor what somebody wrote there is a row of the table.
            return
        table = lookups.tables[feature]
        tensors = {"values": ids.values}
        if ids.offsets is not None:
            tensors["offsets"] = ids.offsets
        host = {name: tensor.numpy() for name, tensor in self._on_host(tensors).items()}
        rows = places = np.arange(len(embeddings))
        if "offsets" in host:
            # The embedding of a single id is its row; that of several is none.
            lengths = np.diff(host["offsets"], append=len(host["values"]))
            places = np.flatnonzero(lengths == 1)
            rows = host["offsets"][places]
        rows = host["values"][rows]
        kept = self._counter.sample(table, rows)
        if len(kept) == 0:
            return
        chosen = torch.from_numpy(places[kept]).to(embeddings.device)
        found = self._on_host({"rows": embeddings.index_select(0, chosen)})["rows"]
        self._keep(embeddings)
        self._counter.add_norms(table, rows[kept], found.float().numpy())

    def _on_host(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        for tensor in tensors.values():
            self._keep(tensor)
        return Offload(tensors, self._stream).wait()

    def _keep(self, tensor: Tensor) -> None:
        # Its memory must not be reused before the stream is done with it.
        if self._stream is not None and tensor.is_cuda:
            tensor.record_stream(self._stream)
