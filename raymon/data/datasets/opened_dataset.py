"""A dataset of a user in one epoch: what is iterated, and its state."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from raymon.errors import DataError

ARGUMENTS = ("rank", "world_size", "epoch")
"""Arguments that a function that makes an iterable may ask for, by name."""


class OpenedDataset:
    """The iterable of one epoch.

    Args:
        data: Iterable, or function that makes one.
        arguments: Arguments for the function, by name; it gets those that its signature has.
        state: State to continue from; None to begin.
        name: Name of the dataset, for messages.
        begins: Whether the state is that of the beginning of an epoch, or of the end of the one
            before.

    Raises:
        DataError: The function returns no iterable, or one that cannot load the state.
    """

    def __init__(
        self, data: Any, arguments: dict[str, int], state: Any, name: str, begins: bool = False
    ) -> None:
        self._makes_it = not isinstance(data, Iterable)
        iterable: Any = self._call(data, arguments) if self._makes_it else data
        self._iterable = iterable
        self._name = name
        self._may_be_at_end = begins and state is not None
        if not hasattr(iterable, "__iter__"):
            kind = type(iterable).__name__
            raise DataError(f"{name}: the function gave a {kind}; it must give an iterable")
        if hasattr(iterable, "set_epoch"):
            iterable.set_epoch(arguments["epoch"])
        if state is not None and not has_state(iterable):
            raise DataError(f"{name}: has no load_state_dict for the state that it had; give it")
        if state is not None:
            iterable.load_state_dict(copy.deepcopy(state))

    def __iter__(self) -> Iterator[Any]:
        empty = True
        for piece in self._iterable:
            empty = False
            yield piece
        if empty and self._may_be_at_end:
            # The state was that of the end of the previous epoch: iterating again begins this one.
            yield from self._iterable

    def state(self) -> Any:
        """Returns a copy of its state; None if it has none."""
        return state_of(self._iterable, self._name)

    def state_at_end(self) -> Any:
        """Returns the state that the next epoch begins with; None if a function makes epochs."""
        return None if self._makes_it else self.state()

    @staticmethod
    def _call(function: Callable[..., Any], arguments: dict[str, int]) -> Any:
        named = wanted_arguments(function)
        return function(**{name: arguments[name] for name in ARGUMENTS if name in named})


def has_state(iterable: object) -> bool:
    """Whether an iterable can save and load its position."""
    return hasattr(iterable, "state_dict") and hasattr(iterable, "load_state_dict")


def wanted_arguments(function: Callable[..., Any]) -> dict[str, bool]:
    """Returns the arguments of a function, and whether each must be given."""
    parameters = inspect.signature(function).parameters.values()
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    wanted = {p.name: p.default is p.empty for p in parameters if p.kind not in variable}
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        wanted = {**dict.fromkeys(ARGUMENTS, False), **wanted}
    return wanted


def state_of(iterable: Any, name: str) -> Any:
    """Returns a copy of the state of an iterable; None if it has none.

    Raises:
        DataError: It holds what a checkpoint cannot keep.
    """
    if not has_state(iterable):
        return None
    state = copy.deepcopy(iterable.state_dict())
    _check_state(state, name)
    return state


def _check_state(value: Any, name: str) -> None:
    # By the exact type: a subclass, such as numpy's float64, would be pickled by its own class.
    if isinstance(value, torch.Tensor) or value is None:
        return
    if type(value) in (list, tuple):
        for each in value:
            _check_state(each, name)
    elif type(value) is dict:
        for pair in value.items():
            for each in pair:
                _check_state(each, name)
    elif type(value) not in (bool, int, float, str, bytes):
        raise DataError(
            f"{name}: its state_dict holds a {type(value).__name__}, which cannot be kept in a "
            "checkpoint; it may hold tensors, numbers, strings, lists and dictionaries"
        )
