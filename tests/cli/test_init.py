from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from raymon.cli.init import init
from raymon.errors import RunError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(init, list(map(str, arguments)))


def test_a_config_is_written_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = pa.table({"a b": [0, 1] * 50, "x": list(range(50)) * 2, "y": [0, 1, 1, 0] * 25})
    pq.write_table(rows, "rows.parquet")
    first = run("rows.parquet", "--label", "a b")
    assert first.exit_code == 0, first.exception
    assert first.output == "a_b.config: 2 of 2 columns\nnext: raymon train a_b.config\n"
    text = Path("a_b.config").read_text()
    assert 'train_input_path: "rows.parquet"' in text
    assert 'model_dir: "runs/a_b"' in text
    again = run("rows.parquet", "--label", "y", "-o", "a_b.config")
    assert isinstance(again.exception, RunError)
    assert "is there already; --overwrite replaces it" in str(again.exception)
    assert Path("a_b.config").read_text() == text
    assert run("rows.parquet", "--label", "y", "-o", "a_b.config", "--overwrite").exit_code == 0
    assert 'label_fields: "y"' in Path("a_b.config").read_text()
    (tmp_path / "folder").mkdir()
    refused = run("rows.parquet", "--label", "y", "-o", "folder", "--overwrite")
    assert "folder: is a directory; give a file" in str(refused.exception)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a_b.config", "folder", "rows.parquet"]


def test_columns_that_may_say_the_label_are_pointed_out(tmp_path: Path) -> None:
    y = [0, 1, 1, 0] * 50
    rows = {"y": y, "same": [2.5 * v for v in y], "z": [0, 1, 0, 0, 1] * 40}
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    said = run(tmp_path / "rows.parquet", "--label", "y", "-o", tmp_path / "y.config").output
    line = "left out, as it may say what the label is: same (it predicts y perfectly by itself"
    assert line in said
