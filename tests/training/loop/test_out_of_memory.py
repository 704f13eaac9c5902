"""A run that has no memory left says in one line what took it, and what would help."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import raymon
from raymon.errors import TrainingError
from raymon.training.loop import loop as loop_module
from raymon.training.loop.out_of_memory import is_out_of_memory, memory_text
from raymon.training.loop.train_step import TrainStep

GB = 10**9
OF_CARD = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.19 GiB of "
    "which 1.06 GiB is free.\nOf the allocated memory 70 GiB is allocated by PyTorch."
)


def too_much(*_: object, **__: object) -> None:
    """Asks torch for more than any machine has."""
    torch.empty(1 << 50)


def out_of_card(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError(OF_CARD)


def after(calls: int, fail: Callable[..., None], original: Callable[..., Any]) -> Any:
    """Calls a function some times, and then one that fails."""
    made = []

    def call(*arguments: Any, **named: Any) -> Any:
        made.append(1)
        return (original if len(made) <= calls else fail)(*arguments, **named)

    return call


def line_of(config_file: Path, **chosen: object) -> str:
    settings = {"ray_config.num_workers": 0, "train_config.num_steps": 40, **chosen}
    with pytest.raises(TrainingError) as raised:
        raymon.train(config_file, settings)
    text = str(raised.value)
    assert "\n" not in text
    run = json.loads((config_file.parent / "run" / "run.json").read_text())
    assert (run["status"], run["error"]) == ("failed", text)
    return text


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card whose memory is as a driver would tell it, and taken by a model of 300 kB."""
    made = SimpleNamespace(name="NVIDIA H100", total_memory=80 * GB)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: made)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 700_000)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 780_000)


def test_of_a_card_the_line_has_its_memory_the_largest_tensors_and_what_would_help(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, card: None
) -> None:
    monkeypatch.setattr(TrainStep, "backward", after(3, out_of_card, TrainStep.backward))
    line = line_of(config_file)
    assert re.match(r"rank 0 on \S+: out of memory in training with batch_size 256, ", line)
    assert "as 2.68 GB more were asked for" in line  # 2.5 * 2^30
    taken = "of which torch has reserved 780 kB and allocated 700 kB; "
    assert f"NVIDIA H100 has 80 GB, {taken}" in line
    # Two tables of 1,000 rows of 8 numbers, and two moments of each: 32 kB each.
    named = re.search(r"the largest tensors are (.*?); what", line)
    assert named is not None
    first, second, third, rest = named[1].split(", ")
    for one in (first, second, third):
        assert re.fullmatch(r"\S*(user|item)\S* 32 kB", one), one
    assert re.fullmatch(r"\d+ more \S+ kB", rest)
    helps = line.partition("what would help: ")[2]
    assert helps.startswith("a smaller data_config.batch_size (gradient_accumulation_steps ")
    for remedy in ('mixed_precision: "BF16"', "rowwise_adagrad", "data_type: FP16", "SHARDED"):
        assert remedy in helps


def test_smaller_tables_are_no_help_where_they_take_little(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, card: None
) -> None:
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 70 * GB)
    monkeypatch.setattr(TrainStep, "backward", out_of_card)
    helps = line_of(config_file).partition("what would help: ")[2]
    remedies = helps.partition(";")[0]
    assert remedies.endswith('makes up for it), mixed_precision: "BF16"')


def test_what_a_run_does_already_is_not_said_to_help(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, card: None
) -> None:
    monkeypatch.setattr(TrainStep, "backward", out_of_card)
    text = config_file.read_text()
    for before, now in (
        ("embedding_dim: 8", 'embedding_dim: 8 data_type: "FP16"'),
        ("sparse_optimizer { adam_optimizer", "sparse_optimizer { rowwise_adagrad_optimizer"),
    ):
        assert before in text
        text = text.replace(before, now)
    config_file.write_text(text)
    line = line_of(config_file, **{"train_config.mixed_precision": "BF16"})
    helps = line.partition("what would help: ")[2]
    for remedy in ("mixed_precision", "rowwise_adagrad", "data_type"):
        assert remedy not in helps


def test_of_the_host_the_line_says_so(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainStep, "backward", too_much)
    line = line_of(config_file, **{"data_config.global_batch_size": 128})
    assert "out of memory of the host in training with global_batch_size 128, as " in line
    assert "4,504 TB more were asked for" in line
    assert "torch has reserved" not in line
    assert "mixed_precision" not in line


def test_an_evaluation_is_told_from_training(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(config: Any, model: Any, *_: object) -> None:
        model.eval()
        np.empty(1 << 50)

    monkeypatch.setattr(loop_module, "evaluate", evaluate)
    line = line_of(config_file, **{"data_config.eval_batch_size": 4096})
    assert "out of memory of the host in an evaluation with eval_batch_size 4096, as " in line
    assert "a smaller data_config.eval_batch_size" in line
    assert "gradient_accumulation_steps" not in line


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError(OF_CARD), True),
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
    ],
)
def test_errors_for_want_of_memory_are_told_from_others(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_memory_that_is_cut_to_pieces_is_named() -> None:
    assert "expandable_segments" in memory_text("H100", 50 * GB, 75 * GB, 80 * GB)
    assert "expandable_segments" not in memory_text("H100", 74 * GB, 75 * GB, 80 * GB)
