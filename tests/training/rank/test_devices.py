"""Each worker has a GPU of its own, which its torch can use, or one line says why not."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import torch

import raymon
from raymon.errors import ConfigError
from raymon.runs import read_devices
from raymon.training.loop.worker import run_worker
from raymon.training.rank import devices
from raymon.training.rank.devices import (
    Device,
    Found,
    check_distinct,
    check_found,
    device_lines,
    find_gpu,
    why_no_gpu,
    why_not_built_for,
    write_devices,
)
from raymon.training.rank.worker_context import WorkerContext
from raymon.training.rank.worker_task import WorkerTask
from tests.training.rank_process import KeepingLink, RankRun, read_config

H100 = "NVIDIA H100 80GB HBM3"


def card(rank: int, uuid: str | None, host: str = "a", device: str = "cuda:0") -> Device:
    return Device(rank, host, device, H100, 85_000_000_000, uuid)


def cpu(rank: int) -> Device:
    return Device(rank, "a", "cpu")


@pytest.mark.parametrize(
    "apart",
    [
        [card(0, "u1"), card(1, "u2")],
        # Each process may call its own "cuda:0".
        [card(0, "u1"), card(1, "u1", host="b")],
        [card(0, None, device="cuda:0"), card(1, None, device="cuda:1")],
        [cpu(0), cpu(1)],
    ],
)
def test_workers_with_gpus_of_their_own_and_workers_without_may_train(apart: list[Device]) -> None:
    check_distinct(apart)


@pytest.mark.parametrize(
    "together",
    [
        # However the processes call it.
        [card(0, "u1"), card(1, "u2", device="cuda:1"), card(2, "u1", device="cuda:2")],
        [card(0, None), card(1, "u2", device="cuda:1"), card(2, None)],
    ],
)
def test_two_ranks_on_one_gpu_are_an_error_that_says_so(together: list[Device]) -> None:
    with pytest.raises(ConfigError) as told:
        check_distinct(together)
    assert str(told.value).startswith(
        f"ray_config.use_gpu: ranks 0 and 2 are on one GPU, {H100} (cuda:"
    )
    assert "\n" not in str(told.value)


class World(WorkerContext):
    """Rank 0 beside another rank, which says of itself what the test gives."""

    def __init__(self, other: Device) -> None:
        super().__init__(0, 1, torch.device("cpu"), RankRun())
        self._other = other

    def gather(self, value: Any) -> list[Any]:
        return [value, self._other] if isinstance(value, Device) else [value]


def test_a_run_whose_ranks_share_a_gpu_does_not_begin(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Device, "of", lambda device, rank: card(rank, "u1"))
    task = WorkerTask(read_config(config_file).SerializeToString())
    with pytest.raises(ConfigError, match="ranks 0 and 1 are on one GPU"):
        run_worker(task, World(card(1, "u1")), KeepingLink())
    assert not (config_file.parent / "run" / "model.ckpt-20").exists()


def test_the_log_has_a_line_for_each_host() -> None:
    found = [card(0, "u1"), card(1, "u2"), card(2, "u1", host="b"), cpu(3)]
    assert device_lines(found) == [
        f"Ranks 0, 1 on a: {H100} with 85.0 GB",
        f"Rank 2 on b: {H100} with 85.0 GB",
    ]
    many = device_lines([card(rank, "u1", host=f"host-{rank}") for rank in range(20)])
    assert len(many) == 9
    assert many[-1] == "12 more hosts with GPUs are in devices.json"
    assert device_lines([cpu(0), cpu(1)]) == []


def test_devices_are_written_and_read(tmp_path: Path) -> None:
    assert read_devices(tmp_path) == []
    found = [card(0, "u1"), cpu(1)]
    assert write_devices(tmp_path, found) is None
    assert read_devices(tmp_path) == [asdict(each) for each in found]
    (tmp_path / "devices.json").write_text("{")
    assert read_devices(tmp_path) == []
    (tmp_path / "file").write_text("")
    why = write_devices(tmp_path / "file", found)
    assert why is not None
    assert why.startswith("devices.json is not written: ")


def test_run_json_has_the_devices_of_workers(config_file: Path) -> None:
    chosen = {"ray_config.num_workers": 0, "train_config.num_steps": 10}
    summary = raymon.train(config_file, chosen)
    run = json.loads((Path(summary.model_dir) / "run.json").read_text())
    (only,) = run["devices"]
    assert (only["rank"], only["device"]) == (0, "cpu")
    assert only["name"] is only["memory_bytes"] is run["device_numbers"] is None


@pytest.mark.parametrize(
    ("capability", "built", "fits"),
    [
        ((9, 0), ["sm_80", "sm_90"], True),
        ((8, 9), ["sm_80", "sm_90"], True),  # binaries run on later minor versions
        ((9, 0), ["sm_70", "sm_80"], False),  # and on no other major one
        ((8, 0), ["sm_86"], False),
        ((10, 0), ["sm_90", "compute_90"], True),  # what is compiled there runs on all later ones
        ((7, 0), ["sm_75", "compute_80"], False),
        ((10, 0), ["sm_90", "sm_90a"], False),
        ((9, 0), ["sm_80", "sm_90a"], True),
        ((12, 1), ["sm_120"], True),
        ((12, 1), ["sm_120a"], False),
        ((10, 3), ["sm_100f"], True),
        ((9, 4), ["gfx942"], True),  # of AMD
        ((9, 0), [], True),
    ],
)
def test_a_build_runs_on_the_gpus_that_its_kernels_are_for(
    capability: tuple[int, int], built: list[str], fits: bool
) -> None:
    assert (why_not_built_for("card", capability, built) is None) is fits


def test_a_build_that_does_not_fit_says_which_way() -> None:
    old = why_not_built_for(H100, (9, 0), ["sm_70", "sm_80"])
    assert old is not None
    assert f"is too old for {H100}: it has no kernels for compute capability 9.0, only for " in old
    new = why_not_built_for("Tesla P100", (6, 0), ["sm_75", "sm_90"])
    assert new is not None
    assert "is too new for Tesla P100" in new


def test_a_build_for_cpus_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    why = why_no_gpu()
    assert why is not None
    assert "is built without CUDA" in why


def test_a_driver_that_torch_cannot_use_is_told_in_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_old() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old (found 11040).\nUpdate it.")

    monkeypatch.setattr(torch.version, "cuda", "12.6")
    monkeypatch.setattr(torch.cuda, "init", too_old)
    why = why_no_gpu()
    assert why is not None
    assert why.endswith("finds no GPU: The NVIDIA driver on your system is too old (found 11040).")


def test_a_worker_that_cannot_even_look_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> torch.device:
        raise ValueError("'0' is not in list")

    monkeypatch.setattr(devices, "why_no_gpu", lambda: None)
    assert find_gpu(fail, 3).why == "ValueError: '0' is not in list"


def test_the_error_names_each_reason_once_with_its_hosts() -> None:
    good = Found(card(0, "u1"), "a", None)
    check_found([good, replace(good, device=card(1, "u2"))])
    found = [good, Found(None, "b", "no"), Found(None, "b", "no"), Found(None, "c", "no")]
    with pytest.raises(ConfigError) as told:
        check_found([*found, Found(None, "d", "old")])
    assert (
        str(told.value) == "ray_config.use_gpu: b, c: no; d: old; or leave ray_config.use_gpu out"
    )
    with pytest.raises(ConfigError, match="on one GPU"):
        check_found([good, good, replace(good, device=card(1, "u1"))])


def test_a_gpu_is_known_by_what_its_driver_says(monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimpleNamespace(name=H100, total_memory=85_000_000_000, uuid=UUID(int=7))
    monkeypatch.setattr(torch.version, "cuda", "12.6")
    for name, answer in {
        "init": None, "device_count": 2, "get_device_name": H100, "current_device": 1,
        "get_device_capability": (9, 0), "get_arch_list": ["sm_80", "sm_90"],
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, lambda answer=answer: answer)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: made)
    assert why_no_gpu() is None
    found = find_gpu(lambda: torch.device("cuda"), 3)
    assert found.device is not None
    assert (found.device.rank, found.device.device, found.why) == (3, "cuda:1", None)
    assert (found.device.name, found.device.memory_bytes) == (H100, 85_000_000_000)
    assert found.device.uuid == "00000000-0000-0000-0000-000000000007"
    check_found([found, find_gpu(lambda: torch.device("cpu"), 0)])
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert str(find_gpu(lambda: torch.device("cuda"), 3).why).endswith("finds no GPU")
