"""An exported model as MLflow loads it: `mlflow.pyfunc.load_model(uri).predict(frame)`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from raymon.serving.scoring import predict


class ScoringModel:
    """An exported model that scores frames of raw columns.

    Args:
        directory: Directory that `raymon export` wrote.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Returns a frame with a column for each prediction, as `raymon predict` writes them.

        Args:
            model_input: A pandas frame with the columns that the features are made of.
            params: Nothing; the argument is MLflow's.
        """
        with tempfile.TemporaryDirectory(prefix="raymon-") as here:
            given, scored = Path(here, "rows.parquet"), Path(here, "scores.parquet")
            pq.write_table(pa.Table.from_pandas(model_input, preserve_index=False), given)
            predict(self._directory, str(given), scored, threads=1)
            frame = pq.read_table(scored).to_pandas()
        frame.index = model_input.index
        return frame


def _load_pyfunc(data_path: str) -> ScoringModel:
    """Returns the model of a directory; the name is MLflow's."""
    return ScoringModel(Path(data_path))
