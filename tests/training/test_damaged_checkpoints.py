"""One byte of a checkpoint has changed: every reader reports it, and uses nothing of it."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import raymon
from raymon.config import read_saved
from raymon.errors import RunError
from raymon.training.checkpoint import manifest as checkpoints
from raymon.training.checkpoint.fine_tune import checkpoint_of
from raymon.training.checkpoint.manifest import (
    MANIFEST,
    ManifestError,
    check_sound,
    has_checkpoint_scores,
    list_checkpoints,
    read_manifest,
)
from raymon.training.evaluate_run import evaluate_run
from raymon.training.export import export_run
from raymon.training.loop.async_evaluation import evaluate_checkpoint

STEPS = (10, 20)
SAID = (
    r"model\.ckpt-20: is damaged: __0_0\.distcp is not what was written: its sha256 is another "
    r"one; raymon checkpoint verify .*run says which are sound"
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, click_log: Path) -> Path:
    from tests.conftest import CONFIG

    directory = tmp_path_factory.mktemp("trained")
    config = directory / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=directory / "run"))
    chosen = {
        "ray_config.num_workers": 0,
        "train_config.num_steps": STEPS[-1],
        "train_config.save_checkpoints_steps": STEPS[0],
    }
    raymon.train(config, chosen)
    return directory / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of two checkpoints, with a flipped bit in the newest one."""
    monkeypatch.setattr(checkpoints, "_warned", set())
    shutil.copytree(trained, tmp_path / "run")
    flip(tmp_path / "run" / "model.ckpt-20" / "__0_0.distcp")
    return tmp_path / "run"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class Told:
    """A channel that keeps the notices that it gets."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        self.notices.append(text)
        done: Future[None] = Future()
        done.set_result(None)
        return done


def beside(run: Path) -> None:
    told: Any = Told()
    path = run / "model.ckpt-20"
    scores = evaluate_checkpoint(read_saved(run), path, told, {}, torch.device("cpu"))
    assert scores == {}
    # Nothing waits for scores that will not come.
    assert has_checkpoint_scores(path)
    raise RunError(*told.notices)


READERS: dict[str, Callable[[Path], object]] = {
    "evaluate": evaluate_run,
    "evaluate beside training": beside,
    "export": lambda run: export_run(run, run.parent / "out"),
    "fine-tune from the run": lambda run: checkpoint_of(str(run)),
    "fine-tune from it": lambda run: checkpoint_of(str(run / "model.ckpt-20")),
}


@pytest.mark.parametrize("reader", READERS)
def test_whoever_reads_it_says_which_file_and_reads_nothing(run: Path, reader: str) -> None:
    with pytest.raises(RunError, match=SAID) as caught:
        READERS[reader](run)
    assert "\n" not in str(caught.value)


def test_the_one_before_is_sound(run: Path) -> None:
    step, scores = evaluate_run(run, "10")
    assert step == 10
    assert scores["auc"] == list_checkpoints(run)[0].metrics["auc"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b'{"step": 20}'])
def test_a_manifest_that_is_none_is_said_once_and_the_checkpoint_left_out(
    run: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (run / "model.ckpt-20" / MANIFEST).write_bytes(content)
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [10]
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [10]
    said = f"{run}/model.ckpt-20: is damaged: {MANIFEST} is not what was written; it is left out"
    assert [record.getMessage() for record in caplog.records] == [said]


@given(st.data())
@settings(max_examples=20)
def test_no_byte_of_a_manifest_is_another_without_a_word(
    trained: Path, data: st.DataObject
) -> None:
    original = (trained / "model.ckpt-20" / MANIFEST).read_bytes()
    content = bytearray(original)
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        (copy / MANIFEST).write_bytes(content)
        try:
            found = read_manifest(copy)
        except ManifestError:
            return
        # White space, which has no meaning.
        (copy / MANIFEST).write_bytes(original)
        assert found == read_manifest(copy)


def test_a_file_that_is_missing_or_cut_is_said(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "raymon")
    (run / "model.ckpt-20" / "trainer.pt").unlink()
    (run / "model.ckpt-10" / "trainer.pt").write_bytes(b"1")
    assert list_checkpoints(run) == []
    assert "model.ckpt-20: is damaged: trainer.pt is missing; it is left out" in caplog.text
    assert "model.ckpt-10: is damaged: trainer.pt has 1 bytes; it is left out" in caplog.text


def test_a_save_that_did_not_end_is_no_damage(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    (run / "model.ckpt-20" / MANIFEST).unlink()
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [10]
    assert caplog.text == ""


def test_no_run_begins_in_the_place_of_one_whose_manifests_are_damaged(run: Path) -> None:
    for step in STEPS:
        (run / f"model.ckpt-{step}" / MANIFEST).write_bytes(b"")
    config = read_saved(run, {"model_dir": run})
    with pytest.raises(RunError, match=r"has checkpoints that are damaged, as model\.ckpt-20"):
        raymon.train(config)
    with pytest.raises(RunError, match="every checkpoint is damaged"):
        raymon.train(config, resume=True)


def test_one_that_is_deleted_while_it_is_chosen_is_no_damage(run: Path) -> None:
    chosen = list_checkpoints(run)[-1]
    shutil.rmtree(chosen.path)
    with pytest.raises(RunError, match=r"model\.ckpt-20: was deleted just now; try again"):
        check_sound(chosen)


def test_a_manifest_of_an_older_version_is_read(run: Path) -> None:
    path = run / "model.ckpt-10" / MANIFEST
    manifest = json.loads(path.read_text())
    del manifest["sha256"]
    path.write_text(json.dumps(manifest))
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [10, 20]
