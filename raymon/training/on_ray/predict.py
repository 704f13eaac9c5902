"""Scores rows on workers of Ray, each of which writes files of the output."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import ray

from raymon.config import allow_custom_classes
from raymon.data import RowRange
from raymon.errors import ConfigError, RunError, TrainingError, UserError, first_line
from raymon.protos.ray_pb2 import RayConfig
from raymon.serving import (
    OutputColumns,
    Scorer,
    choose_columns,
    drafted_parts,
    open_input,
    part_path,
    write_part,
)
from raymon.storage import StoragePath, absolute
from raymon.training.on_ray.cluster import check_capacity, connect
from raymon.training.scorer import open_scorer

_log = logging.getLogger("raymon")

_PARTS_PER_WORKER = 4
"""Parts that a worker takes at least, so that a slow one does not have all wait for its last."""

_PART_ROWS = 1_000_000
"""Most rows of a part, which is what is scored again when a worker dies."""

_RESTARTS = 3

_SAID_S = 10.0
"""Seconds between lines that say how far it is."""


class PartScorer:
    """The actor that scores parts, one at a time.

    Args:
        source: Directory of the model, an export or a checkpoint.
        custom_classes: Whether the config of its run may name custom classes.
    """

    def __init__(self, source: StoragePath, custom_classes: bool) -> None:
        logging.getLogger("raymon").setLevel(logging.WARNING)
        if custom_classes:
            allow_custom_classes()
        self._scorer = open_scorer(source)

    def score(
        self,
        input_path: str,
        ranges: Sequence[RowRange],
        columns: OutputColumns,
        batch_size: int,
        path: StoragePath,
    ) -> int | UserError:
        """Scores a part, as `write_part` does; returns its rows, or what is wrong with them."""
        try:
            return write_part(self._scorer, input_path, ranges, columns, batch_size, path)
        except UserError as error:
            return error


def predict_parts(
    scorer: Scorer,
    input_path: str,
    output: StoragePath,
    *,
    keep: Sequence[str],
    output_columns: Sequence[str],
    batch_size: int,
    num_workers: int,
    address: str | None,
) -> int:
    """Scores rows of files on workers of Ray; the arguments are those of `predict_rows`.

    A part is a whole number of batches, so that batches are those of a single process.

    Args:
        scorer: Scorer of the model, which workers open from the same directory.
        input_path: Input.
        output: Directory that is written, which has been checked.
        keep: Columns of the input that are copied to the output.
        output_columns: Predictions and columns of the input that are written.
        batch_size: Rows of a batch.
        num_workers: Number of workers.
        address: Address of a Ray cluster.

    Returns:
        The number of rows.

    Raises:
        UserError: The data cannot be read, the output cannot be written, or workers do not fit.
        TrainingError: Workers were lost.
    """
    reader = open_input(scorer, input_path, batch_size, 0)
    columns = choose_columns(scorer, reader, keep, output_columns)
    share = -(-reader.rows // (num_workers * _PARTS_PER_WORKER))
    batches = -(-min(share, _PART_ROWS) // batch_size)
    parts = reader.parts(batches * batch_size)
    connect(address)
    workers = min(num_workers, len(parts))
    _check_capacity(workers)
    with drafted_parts(absolute(output)) as draft, _workers(scorer, workers) as actors:
        arguments = [
            (input_path, part, columns, batch_size, part_path(draft, number))
            for number, part in enumerate(parts)
        ]
        _score_all(actors, arguments, reader.rows)
        _check_all_there(draft, len(parts))
    return reader.rows


@contextmanager
def _workers(scorer: Scorer, number: int) -> Iterator[list[Any]]:
    from raymon.config import custom_classes_allowed

    make: Any = ray.remote(num_cpus=1, max_restarts=_RESTARTS, max_task_retries=_RESTARTS)(
        PartScorer
    )
    actors = [make.remote(scorer.source, custom_classes_allowed()) for _ in range(number)]
    try:
        yield actors
    finally:
        # Before the draft is removed, so that no worker writes into it any more.
        for actor in actors:
            with suppress(Exception):
                ray.kill(actor)


def _score_all(actors: Sequence[Any], parts: Sequence[tuple[Any, ...]], rows: int) -> None:
    """Scores all parts; each worker is given its next part when it has done one."""
    waiting, done, said = iter(parts), 0, time.monotonic()
    busy = {actor.score.remote(*next(waiting)): actor for actor in actors}
    while busy:
        ready, _ = ray.wait(list(busy), timeout=_SAID_S)
        for call in ready:
            actor = busy.pop(call)
            done += _rows_of(call)
            part = next(waiting, None)
            if part is not None:
                busy[actor.score.remote(*part)] = actor
        if time.monotonic() - said >= _SAID_S:
            said = time.monotonic()
            _log.info("Scored %s of %s rows", f"{done:,}", f"{rows:,}")


def _rows_of(call: Any) -> int:
    try:
        found: int | UserError = ray.get(call)
    except ray.exceptions.RayActorError as error:
        raise TrainingError(f"a worker was lost: {first_line(error)}") from error
    except ray.exceptions.RayTaskError as error:
        cause = error.cause if isinstance(error.cause, Exception) else error
        raise TrainingError(f"a worker failed: {first_line(cause)}") from error
    if isinstance(found, UserError):
        raise found
    return found


def _check_capacity(workers: int) -> None:
    try:
        check_capacity(RayConfig(num_workers=workers), data_by_ray=False)
    except ConfigError as error:
        text = str(error).removeprefix("ray_config.num_workers")
        raise ConfigError(f"--num-workers{text}") from None


def _check_all_there(draft: StoragePath, parts: int) -> None:
    missing = [n for n in range(parts) if not part_path(draft, n).is_file()]
    if missing:
        raise RunError(
            f"{draft.parent}: {len(missing)} of {parts} parts were written on other nodes; give an "
            "OUTPUT on storage that all nodes share"
        )
