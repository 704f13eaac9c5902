"""Exports with a table of any size, and the memory that predictions with them take."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from google.protobuf import text_format

from raymon.data import Batch, IdList
from raymon.models import build_model
from raymon.protos.export_pb2 import TableFormat
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.serving import export_program, store_tables, table_part_bytes, write_bundle
from tests.installed import installed_python
from tests.models.pipelines import features_of

_CONFIG = """train_input_path: "x" model_dir: "y" train_config { num_steps: 1 }
data_config { label_fields: "click" }
feature_configs { id_feature { feature_name: "user" expression: "user:user"
  num_buckets: %d embedding_dim: 16 } }
model_config {
  feature_groups { group_name: "sparse" group_type: DEEP feature_names: "user" }
  dlrm { final { hidden_units: [4] } }
  losses { binary_cross_entropy {} } }"""

_PREDICT = """
import sys
from pathlib import Path
from benchmarks.harness.peak_memory import peak_mib
from raymon.serving import predict

for model in map(Path, sys.argv[1:]):
    output = model.with_suffix(".parquet")
    print(peak_mib(lambda: predict(model, str(model.with_suffix(".in")), output)))
"""


@dataclass(frozen=True)
class Export:
    """An export with one table.

    Attributes:
        folder: Directory of the export; the rows to score are beside it.
        bytes: Size of the table in bytes.
        expected: Predictions of the rows by the model itself, float32 `[B]`.
    """

    folder: Path
    bytes: int
    expected: np.ndarray

    def predicted(self) -> np.ndarray:
        """Returns the predictions that were written, float32 `[B]`."""
        return pq.read_table(self.folder.with_suffix(".parquet"))["probs"].to_numpy()


def write_export(
    folder: Path, rows: int, part_bytes: int, quantize: TableFormat | None = None
) -> Export:
    """Writes an export with a table of so many rows, and a few rows from all of it to score."""
    config = text_format.Parse(_CONFIG % rows, PipelineConfig())
    features = features_of(config)
    model = build_model(config, features).eval()
    (info,) = store_tables(model, quantize, table_part_bytes(part_bytes))
    write_bundle(folder, export_program(model, features), config, {}, part_bytes=part_bytes)
    ids = np.linspace(0, rows - 1, 6, dtype=np.int64).repeat(30)
    pq.write_table(pa.table({"user": ids}), folder.with_suffix(".in"))
    with torch.inference_mode():
        batch = Batch(size=len(ids), sparse={"user": IdList(torch.from_numpy(ids))})
        expected = model.predict(batch)["probs"].numpy()
    return Export(folder, info.bytes, expected)


def peaks_of_predictions(exports: Sequence[Export]) -> list[float]:
    """Scores rows with exports, one after another in a process of its own.

    Returns:
        The bytes by which the resident memory of the process grew at most, for each export.
    """
    done = subprocess.run(
        [installed_python(), "-c", _PREDICT, *(str(export.folder) for export in exports)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return [float(line) * 2**20 for line in done.stdout.split()]
