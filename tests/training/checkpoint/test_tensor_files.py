from __future__ import annotations

import io
import pickle
from pathlib import Path

import pytest

from raymon.training.checkpoint.tensor_files import _Unpickler


@pytest.mark.parametrize("module", ["pathlib", "pathlib._local"])
def test_an_index_of_any_python_is_read(module: str) -> None:
    # The names of the class in Python up to 3.12 and from 3.14 on, and in 3.13.
    index = f"c{module}\nPosixPath\n(Vruns\ntR.".encode()
    assert _Unpickler(io.BytesIO(index)).load() == Path("runs")


@pytest.mark.parametrize("name", ["pathlib._local\nos", "os\nsystem", "torch\nload"])
def test_an_index_names_nothing_that_could_be_run(name: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match="has no place in a checkpoint"):
        _Unpickler(io.BytesIO(f"c{name}\n.".encode())).load()
