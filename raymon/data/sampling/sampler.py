"""Draws the candidates of a batch: the items of its rows, and negatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

from raymon.data.batch import Batch, Candidates
from raymon.data.features.feature import Feature
from raymon.data.reading.packed_rows import PackedRows, Places, join_rows
from raymon.data.sampling.edges import Edges
from raymon.data.sampling.item_table import ItemTable
from raymon.data.sampling.sampler_spec import SamplerSpec
from raymon.data.sampling.weighted_draw import WeightedDraw
from raymon.errors import ConfigError, DataError


class SamplerTables:
    """The tables of a sampler, which its readers share.

    Args:
        spec: The sampler.
        features: All features of the pipeline.

    Raises:
        ConfigError: A table cannot be read, or has a value that is wrong. It begins with the path
            of the field that names the table.
    """

    def __init__(self, spec: SamplerSpec, features: Sequence[Feature]) -> None:
        made = item_features(features, spec.attributes)
        with _named(spec, spec.item_path_field):
            self.items = ItemTable(spec, made)
        self.positive = self._edges(spec, "pos_edge_input_path", spec.positive_path)
        self.hard = self._edges(spec, "hard_neg_edge_input_path", spec.hard_path)

    def _edges(self, spec: SamplerSpec, field: str, path: str | None) -> Edges | None:
        if path is None:
            return None
        with _named(spec, field):
            return Edges(path, spec.field_delimiter, self.items)


@contextmanager
def _named(spec: SamplerSpec, field: str) -> Iterator[None]:
    """Makes an error about a table one about the field of the config that names it."""
    try:
        yield
    except DataError as error:
        raise ConfigError(f"{spec.place}.{field}: {error}") from None


def item_features(features: Sequence[Feature], attributes: Sequence[str]) -> list[Feature]:
    """Returns the features that are made of attributes of an item alone."""
    return [f for f in features if set(f.columns) <= set(attributes)]


class Sampler:
    """A source of candidates; what it draws for a batch is a function of its arguments alone.

    Args:
        spec: The sampler.
        tables: Its tables.
        seed: Seed of the draws.
        salt: Number that makes draws with the same seed differ: those of an evaluation, say.
    """

    def __init__(self, spec: SamplerSpec, tables: SamplerTables, seed: int, salt: int = 0) -> None:
        self._spec = spec
        self._tables = tables
        self._draw = WeightedDraw(tables.items.weights)
        self._seed = seed
        self._salt = salt

    def batch(self, rows: PackedRows, epoch: int, row: int, rank: int) -> Batch:
        """Returns rows as a batch with its candidates.

        Args:
            rows: Rows of the batch, with the keys that the sampler needs.
            epoch: Epoch, from 0.
            row: Rows of the epoch before the global batch.
            rank: Number of the draws for this global batch; a rank, or one number for all.

        Raises:
            DataError: There is no item that may be drawn.
        """
        if rows.missing is not None:
            rows = replace(rows.take(np.flatnonzero(~rows.missing)), missing=None)
        batch = rows.to_batch()
        key = (self._seed, epoch, row, rank, self._salt)
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
        items, hard = self._drawn(generator, batch)
        table = self._tables.items.rows
        own = _selected(rows, table.places)
        places = int(hard[1].max()) + 1 if hard is not None and hard.shape[1] else 0
        joined = join_rows([own, table.take(items)]).to_batch()
        batch.candidates = Candidates(joined, hard, places)
        return batch

    def _drawn(
        self, generator: np.random.Generator, batch: Batch
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], torch.Tensor | None]:
        """Returns the items that are drawn, and the places of the hard ones among them."""
        spec, tables = self._spec, self._tables
        own = tables.items.find(batch.keys[spec.item_id].numpy())
        excluded = own[own >= 0]
        users = None if spec.user_id is None else batch.keys[spec.user_id].numpy()
        if users is not None and tables.positive is not None:
            _, edges = tables.positive.of(users)
            excluded = np.concatenate([excluded, tables.positive.items(edges)])
        # A batch without rows needs none.
        count = spec.negatives if batch.size else 0
        drawn = self._draw.draw(generator, count, excluded)
        if len(drawn) < count:
            raise DataError(
                f"{spec.item_path}: all items of a weight above 0 are positives of one batch, so "
                "none is left as a negative; make data_config.batch_size smaller"
            )
        if users is None or tables.hard is None:
            return drawn, None
        rows, columns, hard = tables.hard.draw(generator, users, own, spec.hard_negatives)
        places = torch.from_numpy(np.stack([rows, columns]).astype(np.int64))
        return np.concatenate([drawn, hard]), places


def _selected(rows: PackedRows, places: Places) -> PackedRows:
    """Returns the features that some places are for, copied there."""
    taken = places.empty(rows.size)
    for name, place in places.dense.items():
        taken.reals[place] = rows.reals[rows.places.dense[name]]
    for name, place in places.sparse.items():
        taken.integers[place] = rows.integers[rows.places.sparse[name]]
    ragged = {name: ids for name, ids in rows.ragged.items() if name in places.sparse}
    wide = {name: numbers for name, numbers in rows.wide.items() if name in places.dense}
    sequences = {name: rows.sequences[name] for name in places.sequences}
    return replace(taken, ragged=ragged, wide=wide, sequences=sequences)
