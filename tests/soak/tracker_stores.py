"""Reads what trackers have back, each by its own means."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Point:
    """A value that a tracker has."""

    run_id: str
    tag: str
    step: int
    value: float


def points_of_mlflow(uri: str) -> list[Point]:
    """Returns all points of a store, in the order of their times."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    (experiment,) = client.search_experiments(filter_string="name = 'raymon'")
    found = []
    for run in client.search_runs([experiment.experiment_id]):
        for tag in run.data.metrics:
            history = client.get_metric_history(run.info.run_id, tag)
            for each in sorted(history, key=lambda metric: metric.timestamp):
                found.append(Point(run.info.run_id, tag, each.step, each.value))
    return found


def points_of_trackio(directory: Path) -> list[Point]:
    """Returns all points of a database, in the order in which they were written."""
    with sqlite3.connect(directory / "raymon.db") as database:
        rows = list(database.execute("SELECT run_id, step, metrics FROM metrics ORDER BY id"))
    return [
        Point(run_id, tag, step, value)
        for run_id, step, values in rows
        for tag, value in json.loads(values).items()
        if tag != "attempt"
    ]


def points_of_wandb(directory: Path) -> list[Point]:
    """Returns all points of offline files, in the order in which they were written."""
    found = []
    for record in records_of_wandb(directory):
        if record.WhichOneof("record_type") != "history":
            continue
        row: dict[str, Any] = {}
        for item in record.history.item:
            row[item.key or item.nested_key[0]] = json.loads(item.value_json)
        step = row.pop("global_step")
        for tag in ("attempt", "_step", "_runtime", "_timestamp"):
            row.pop(tag, None)
        found += [Point("", tag, step, value) for tag, value in row.items()]
    return found


def records_of_wandb(directory: Path) -> Iterator[Any]:
    """Yields the records of offline files, in the order in which the files were begun."""
    from wandb.proto import wandb_internal_pb2

    for path in sorted(directory.glob("wandb/offline-run-*/*.wandb")):
        for data in _log_records(path.read_bytes()):
            yield wandb_internal_pb2.Record.FromString(data)


def _log_records(data: bytes) -> Iterator[bytes]:
    """Yields the records of a log in LevelDB's format, whose first block begins with 7 bytes more.

    A record is in parts: each with a checksum, its length and its kind (whole, first, middle,
    last), and none goes beyond a block of 32,768 bytes.
    """
    assert data[:4] == b":W&B"
    position, block, gathered = 7, 32768, b""
    while position + 7 <= len(data):
        if block - position % block < 7:
            position += block - position % block
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        if kind == 0 or position + 7 + length > len(data):
            return
        gathered += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            yield gathered
            gathered = b""
