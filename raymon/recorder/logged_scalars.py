"""Scalars that the user logs, until the window ends."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.recorder.background_scalars import BackgroundScalars
from raymon.wire import MEAN, REDUCTIONS, ScalarTotal, ScalarTotals

MOST_NAMES = 1000
"""Most names of a run; a name that is made of a step's number would grow without end."""

_LONGEST_NAME = 200
_UNSHOWABLE = re.compile(r"[\s:]")

_Values = dict[str, list[Tensor | float]]


class LoggedScalars:
    """Scalars by name, each with how its values become one.

    Nothing here waits: a value on the CPU becomes a float, which does not wait there, and one on a
    device is copied there, so that it may be written to afterwards.

    Args:
        on_error: Called with an exception for each value that cannot be taken.
    """

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._on_error = on_error
        self._reductions: dict[str, str] = {}
        self._values: _Values = {}
        self._streams: dict[torch.device, torch.cuda.Stream] = {}

    @property
    def names(self) -> list[str]:
        """Names that were logged since the last `take`."""
        return list(self._values)

    def add(self, values: Mapping[str, Tensor | float], reduction: str = MEAN) -> None:
        """Takes scalars by name; one that is wrong costs only itself.

        Args:
            values: Tensors of one number each, on any device, or numbers.
            reduction: One of `REDUCTIONS`.
        """
        if reduction not in REDUCTIONS:
            known = ", ".join(f'"{name}"' for name in REDUCTIONS)
            self._on_error(
                UserError(f"log: reduce is {reduction!r:.60}; it must be one of {known}")
            )
            return
        if not isinstance(values, Mapping):
            what = f"a {type(values).__name__} is no mapping of values"
            self._on_error(UserError(f'{what}; give them by name: {{"name": value}}'))
            return
        for name, value in values.items():
            try:
                number = _number(name, value)
                self._begun(name, reduction).append(number)
            except Exception as error:  # a value that is wrong costs only itself
                self._on_error(error)

    def take(self) -> TakenScalars:
        """Removes all values, for a background thread."""
        values, self._values = self._values, {}
        streams: dict[torch.device, torch.cuda.Stream] = {}
        for of_name in values.values():
            for value in of_name:
                if isinstance(value, Tensor) and value.is_cuda and value.device not in streams:
                    streams[value.device] = self._stream(value.device)
        return TakenScalars(values, self._reductions, streams)

    def _begun(self, name: str, reduction: str) -> list[Tensor | float]:
        known = self._reductions.get(name)
        if known is None:
            self._check(name)
            self._reductions[name] = reduction
        elif known != reduction:
            raise UserError(
                f'scalar {name} is logged with reduce="{reduction}", and was with "{known}", which '
                "alone counts; give one of them another name"
            )
        return self._values.setdefault(name, [])

    def _check(self, name: str) -> None:
        if not isinstance(name, str) or not name or len(name) > _LONGEST_NAME:
            raise UserError(
                f"scalar {name!r:.60}: a name is a text of 1 to {_LONGEST_NAME} characters"
            )
        if _UNSHOWABLE.search(name) or not name.isprintable():
            raise UserError(f"scalar {name!r}: no line can show this name; give one without spaces")
        if len(self._reductions) >= MOST_NAMES:
            raise UserError(f"scalars of more than {MOST_NAMES} names; further ones are left out")

    def _stream(self, device: torch.device) -> torch.cuda.Stream:
        stream = self._streams.get(device)
        if stream is None:
            stream = self._streams[device] = torch.cuda.Stream(device)
        # It works on the values after the current stream has computed them.
        stream.wait_stream(torch.cuda.current_stream(device))
        return stream


class TakenScalars:
    """The scalars of a window, which may not be on the host yet.

    Args:
        values: Values by name.
        reductions: How the values of a name become one.
        streams: For each CUDA device, a stream that waits for its values.
    """

    def __init__(
        self,
        values: Mapping[str, list[Tensor | float]],
        reductions: Mapping[str, str],
        streams: Mapping[torch.device, torch.cuda.Stream],
    ) -> None:
        self._values = values
        self._reductions = reductions
        self._streams = streams

    def wait(self) -> ScalarTotals:
        """Waits for the values, on a thread other than the training thread; returns the totals."""
        totals: ScalarTotals = {}
        on_device: dict[tuple[torch.device, torch.dtype], list[tuple[str, Tensor]]] = {}
        numbers: dict[str, list[float]] = {}
        for name, values in self._values.items():
            numbers[name] = [value for value in values if not isinstance(value, Tensor)]
            for value in values:
                if isinstance(value, Tensor):
                    alike = on_device.setdefault((value.device, value.dtype), [])
                    alike.append((name, value))
        # One copy off each device.
        for (device, _), named in on_device.items():
            tensors = [tensor for _, tensor in named]
            host = BackgroundScalars(tensors, self._streams.get(device)).wait()
            for (name, _), number in zip(named, host.tolist(), strict=True):
                numbers[name].append(number)
        for name, of_name in numbers.items():
            reduction = self._reductions[name]
            totals[name, reduction] = ScalarTotal.of(reduction, of_name)
        return totals


def _number(name: str, value: Any) -> Tensor | float:
    """Returns a value as a float, or a copy of it where it is on a device."""
    kind = type(value)
    if not isinstance(value, Tensor):
        return _plain_number(name, value)
    if kind is not Tensor and hasattr(value, "full_tensor"):
        raise UserError(
            f"scalar {name} is a DTensor, whose value waits for other ranks; give the value of its "
            "full_tensor(), or the local one"
        )
    if value.numel() != 1 or value.is_complex():
        shape = list(value.shape)
        raise UserError(f"scalar {name} has shape {shape} of {value.dtype}; give one real number")
    if value.is_cpu:
        return float(value.item())
    return value.detach().clone().reshape(())


def _plain_number(name: str, value: Any) -> float:
    if type(value) is float:
        return value
    wrong = UserError(f"scalar {name} is {value!r:.60}; give a number, or a tensor of one")
    if isinstance(value, str | bytes | None):
        raise wrong
    try:
        if hasattr(value, "__array__") and np.size(value) == 1:
            return float(np.asarray(value).reshape(()).item())
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        raise wrong from None
