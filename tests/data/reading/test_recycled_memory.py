from __future__ import annotations

import gc

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from raymon.data.reading.recycled_memory import RecycledMemory

LARGE = (4, 100_000)


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_memory_is_used_again_once_the_array_is_gone() -> None:
    memory = RecycledMemory()
    first = memory.empty(LARGE, np.float32)
    before = address(first)
    assert address(memory.empty(LARGE, np.float32)) != before
    del first
    assert before in [address(memory.empty(LARGE, np.int32)) for _ in range(2)]


def test_views_and_tensors_keep_their_memory() -> None:
    memory = RecycledMemory()
    array = memory.empty(LARGE, np.int64)
    array[:] = 7
    view, tensor = array[1:3, ::2], torch.from_numpy(array[3])
    rows = tensor.unsqueeze(0)[:, 5:].unbind()
    before = address(array)
    del array, tensor
    gc.collect()
    for _ in range(3):
        other = memory.empty(LARGE, np.int64)
        assert address(other) != before
        other[:] = 8
    assert (view == 7).all()
    assert bool((rows[0] == 7).all())
    del view, rows
    assert before in [address(memory.empty(LARGE, np.int64)) for _ in range(4)]


def test_arrays_outlive_what_made_them() -> None:
    array = RecycledMemory().empty(LARGE, np.int64)
    gc.collect()
    array[:] = 3
    assert array.sum() == 3 * array.size


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 60_000), st.booleans()), max_size=12))
def test_no_two_arrays_share_memory(wanted: list[tuple[int, int, bool]]) -> None:
    memory = RecycledMemory()
    alive: list[np.ndarray] = []
    for number, (rows, columns, drop) in enumerate(wanted):
        array = memory.empty((rows, columns), np.int64)
        assert (array.shape, array.dtype) == ((rows, columns), np.int64)
        array[:] = number
        alive.append(array)
        if drop:
            del alive[0]
    assert all(len(np.unique(array)) <= 1 for array in alive)
    assert len({int(array[0, 0]) for array in alive if array.size}) == sum(
        1 for array in alive if array.size
    )
