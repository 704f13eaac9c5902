"""Weights of exported models: in files of limited size, mapped and not copied."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from raymon.errors import RunError
from raymon.serving import (
    export_program,
    open_bundle,
    predict,
    program_inputs,
    store_tables,
    table_part_bytes,
    write_bundle,
)
from raymon.serving.weight_files import map_weights, write_weights
from raymon.storage import FileEntry
from tests.models.pipelines import batch_of, features_of, model_of, pipeline
from tests.serving.large_export import peaks_of_predictions, write_export

SMALL = 3_400
"""Bytes of the files of a small model, which has several then."""


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of several files, one of whose tables is in two."""
    config = pipeline()
    model = model_of(config).eval()
    (user, _) = store_tables(model, None, table_part_bytes(SMALL - 800))
    assert (user.name, user.parts) == ("embeddings.tables.t_user", 2)
    folder = tmp_path_factory.mktemp("export") / "model"
    program = export_program(model, features_of(config))
    write_bundle(folder, program, config, {}, part_bytes=SMALL)
    return folder


def copy_of(folder: Path, to: Path) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_no_file_is_larger_than_the_limit_unless_one_tensor_is(tmp_path: Path) -> None:
    tensors = {f"t{size}": torch.arange(float(size)) for size in (400, 100, 300, 900, 5)}
    names = write_weights(tmp_path, tensors, 3_000)
    assert names == [f"weights-0000{number}-of-00004.safetensors" for number in (1, 2, 3, 4)]
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    sizes = {name: (tmp_path / name).stat().st_size for name in names}
    assert [name for name, size in sizes.items() if size > 3_000] == [names[3]]
    assert [set(load_file(tmp_path / name)) for name in names] == [
        {"t400"}, {"t100", "t5"}, {"t300"}, {"t900"}
    ]  # fmt: skip
    mapped = map_weights(tmp_path, names)
    for path in tmp_path.iterdir():
        path.unlink()
    assert mapped.keys() == tensors.keys()
    assert all(torch.equal(mapped[name], tensors[name]) for name in tensors)
    assert write_weights(tmp_path, tensors) == ["weights.safetensors"]
    assert write_weights(tmp_path, {}) == ["weights.safetensors"]
    assert map_weights(tmp_path, ["weights.safetensors"]) == {}


def test_predictions_of_an_export_of_several_files_are_those_of_the_model_to_the_bit(
    split: Path,
) -> None:
    weights = json.loads((split / "card.json").read_text())["weights"]
    assert len(weights) > 2
    assert all((split / name).stat().st_size <= SMALL for name in weights)
    # The program has no weights of its own.
    state = torch.export.load(split / "model.pt2").state_dict
    assert all(value.numel() == 0 for value in state.values())
    model, features = model_of(pipeline()).eval(), features_of(pipeline())
    bundle = open_bundle(split)
    with torch.inference_mode():
        for size in (1, 300):
            batch = batch_of(size, seed=size)
            found = bundle.program(*program_inputs(batch, features))
            for name, expected in model.predict(batch).items():
                assert torch.equal(found[name], expected)


@pytest.mark.parametrize("how", ["missing", "cut", "changed"])
def test_a_file_of_weights_that_is_not_what_was_written_is_named(
    split: Path, tmp_path: Path, how: str
) -> None:
    folder = copy_of(split, tmp_path / "model")
    part = sorted(folder.glob("weights-*"))[1]
    content = part.read_bytes()
    if how == "missing":
        part.unlink()
    elif how == "cut":
        part.write_bytes(content[:-1])
    else:
        part.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    why = {"missing": "is missing", "cut": "bytes in place of", "changed": "is not what was"}[how]
    with pytest.raises(RunError, match=rf"model: is damaged: {part.name} .*{why}.*; export the"):
        predict(folder, "never read", tmp_path / "out")


def test_an_export_whose_program_has_its_weights_is_still_read(tmp_path: Path) -> None:
    # As exports were written before weights were mapped.
    config = pipeline()
    model, features = model_of(config).eval(), features_of(config)
    program = export_program(model, features)
    folder = tmp_path / "model"
    write_bundle(folder, program, config, {})
    content = io.BytesIO()
    torch.export.save(program, content)
    (folder / "model.pt2").write_bytes(content.getvalue())
    card = json.loads((folder / "card.json").read_text())
    del card["weights"]
    card["files"]["model.pt2"] = asdict(FileEntry.of(folder / "model.pt2"))
    (folder / "card.json").write_text(json.dumps(card))
    batch = batch_of(20)
    with torch.inference_mode():
        found = open_bundle(folder).program(*program_inputs(batch, features))
        for name, expected in model.predict(batch).items():
            assert torch.equal(found[name], expected)


def test_predictions_copy_no_table(tmp_path: Path) -> None:
    # A small table first: what else predicting takes is in memory after that.
    small = write_export(tmp_path / "small", 16_000, 31_000_000)
    large = write_export(tmp_path / "large", 1_600_000, 31_000_000)
    assert large.bytes > 100_000_000
    assert len(list(large.folder.glob("weights-*"))) == 4
    _, peak = peaks_of_predictions([small, large])
    # Resident are only the pages around the rows that were read.
    assert peak < large.bytes / 4
    np.testing.assert_array_equal(large.predicted(), large.expected)
