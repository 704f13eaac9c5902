from __future__ import annotations

import io
import pickle
from pathlib import Path

import pytest
import torch

from raymon.training.checkpoint.tensor_files import _Unpickler, write_tensors
from tests.checkpoints import saved_tensors


@pytest.mark.parametrize("module", ["pathlib", "pathlib._local"])
def test_an_index_of_any_python_is_read(module: str) -> None:
    # The names of the class in Python up to 3.12 and from 3.14 on, and in 3.13.
    index = f"c{module}\nPosixPath\n(Vruns\ntR.".encode()
    assert _Unpickler(io.BytesIO(index)).load() == Path("runs")


@pytest.mark.parametrize("name", ["pathlib._local\nos", "os\nsystem", "torch\nload"])
def test_an_index_names_nothing_that_could_be_run(name: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match="has no place in a checkpoint"):
        _Unpickler(io.BytesIO(f"c{name}\n.".encode())).load()


def test_where_torch_sees_a_gpu_it_is_not_asked_for_what_is_on_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = {"a": torch.randn(300, 7), "b": torch.arange(5)}

    def asked(*_: object) -> None:
        raise AssertionError("waits for the GPU")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_stream", asked)
    write_tensors(tmp_path, tensors, None)
    monkeypatch.undo()
    found = saved_tensors(tmp_path)
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
