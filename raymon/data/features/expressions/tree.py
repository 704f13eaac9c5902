"""The tree of an expression."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """A number, or a constant."""

    value: float


@dataclass(frozen=True)
class Variable:
    """A variable, by its name."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function or an operator, by its name, of some arguments."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Variable | Call


def variables_of(node: Node) -> set[str]:
    """Returns the names of all variables of an expression."""
    if isinstance(node, Variable):
        return {node.name}
    if isinstance(node, Call):
        return {name for argument in node.arguments for name in variables_of(argument)}
    return set()
