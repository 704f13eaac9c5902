"""Tables with a log of versions are warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from raymon.data.files.versioned_tables import versioned_tables


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("_delta_log/00000000000000000000.json", "Delta Lake"),
        (".hoodie/hoodie.properties", "Hudi"),
        ("metadata/v1.metadata.json", "Iceberg"),
        ("metadata/notes.json", None),
        ("_SUCCESS", None),
        ("day=1/part-1.parquet", None),
    ],
)
@pytest.mark.parametrize("below", ["", "/", "/*.parquet", "/**/part-*.parquet"])
def test_a_directory_with_a_log_is_a_table(
    tmp_path: Path, file: str, name: str | None, below: str
) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    found = versioned_tables(f"{tmp_path}{below}")
    assert [f": is a table of {name}: " in line for line in found] == [True] * (name is not None)


def test_what_is_no_directory_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("")
    assert versioned_tables(f"{tmp_path}/a.parquet,{tmp_path}/missing") == []
