"""An export with a table of several files: whole on disk, and in memory only what is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from raymon.protos.export_pb2 import TableFormat
from raymon.serving.weight_files import PART_BYTES
from tests.serving.large_export import peaks_of_predictions, write_export

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

ROWS = 70_000_000


def test_an_export_of_several_gigabytes_is_mapped(tmp_path: Path) -> None:
    small = write_export(tmp_path / "small", 1000, PART_BYTES)
    exports = {
        name: write_export(tmp_path / name, ROWS, PART_BYTES, quantize)
        for name, quantize in (("whole", None), ("int8", TableFormat.INT8))
    }
    for name, files, row_bytes in (("whole", 3, 64), ("int8", 1, 20)):
        export = exports[name]
        assert export.bytes == ROWS * row_bytes
        sizes = [file.stat().st_size for file in export.folder.glob("weights*")]
        assert len(sizes) == files
        assert max(sizes) <= PART_BYTES
    _, *peaks = peaks_of_predictions([small, *exports.values()])
    for (name, export), peak in zip(exports.items(), peaks, strict=True):
        print(f"{name}: {export.bytes:,} bytes of tables, {peak:,.0f} more bytes resident at most")
        assert peak < 100_000_000
        np.testing.assert_array_equal(export.predicted(), export.expected)
