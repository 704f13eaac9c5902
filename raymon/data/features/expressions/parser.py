"""The parser of expressions: one method a level of precedence."""

from __future__ import annotations

import re
from collections.abc import Collection

from raymon.data.features.expressions.functions import CONSTANTS, ELEMENTWISE, OF_VECTORS
from raymon.data.features.expressions.tree import Call, Node, Number, Variable

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<operator>\|\||&&|<=|>=|!=|==|[-+*/^()?:,<>|&]))"
)
_LEVELS = (("||",), ("&&",), ("|",), ("&",), ("<=", ">=", "!=", "==", ">", "<"), ("+", "-"))
"""Operators from those that bind least on; products and powers come after them."""

_DEEPEST, _LONGEST = 40, 400
"""How deep an expression may be, and of how many parts, so that it does not exhaust the stack."""


def parse_expression(text: str, variables: Collection[str]) -> Node:
    """Returns the tree of an expression.

    From what binds least: `? :`, `||`, `&&`, `|`, `&`, comparisons, `+ -`, `* /`, a sign, `^`.

    Args:
        text: Expression.
        variables: Names that it may use.

    Raises:
        ValueError: It is none; the message says what is wrong, and where.
    """
    return _Parser(text, variables).parsed()


class _Parser:
    def __init__(self, text: str, variables: Collection[str]) -> None:
        self._text, self._variables = text, variables
        self._tokens = self._split()
        self._next, self._depth = 0, 0

    def parsed(self) -> Node:
        if not self._tokens:
            raise ValueError("is empty; write an expression")
        if len(self._tokens) > _LONGEST:
            raise ValueError(f'"{self._text[:40]}...": has more than {_LONGEST} parts')
        node = self._choice()
        if self._next < len(self._tokens):
            raise self._unexpected()
        return node

    def _split(self) -> list[tuple[str, str, int]]:
        tokens, place, text = [], 0, self._text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ValueError(f'"{self._text}": does not parse at "{text[place:].strip()[:20]}"')
            kind = str(match.lastgroup)
            tokens.append((kind, match.group(kind), match.start(kind)))
            place = match.end()
        return tokens

    def _peek(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        if token and token in wanted:
            self._next += 1
            return token
        return ""

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._unexpected(f'; there should be "{wanted}"')

    def _unexpected(self, hint: str = "") -> ValueError:
        if self._next >= len(self._tokens):
            return ValueError(f'"{self._text}": ends too early{hint}')
        _, token, place = self._tokens[self._next]
        return ValueError(f'"{self._text}": does not parse at "{token}", character {place}{hint}')

    def _choice(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f'"{self._text[:40]}...": is nested too deep')
        test = self._binary(0)
        if self._take("?"):
            yes = self._choice()
            self._expect(":")
            test = Call("?:", (test, yes, self._choice()))
        self._depth -= 1
        return test

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._product()
        node = self._binary(level + 1)
        while operator := self._take(*_LEVELS[level]):
            node = Call(operator, (node, self._binary(level + 1)))
        return node

    def _product(self) -> Node:
        node = self._signed()
        while operator := self._take("*", "/"):
            node = Call(operator, (node, self._signed()))
        return node

    def _signed(self) -> Node:
        negative = False
        while sign := self._take("-", "+"):
            negative ^= sign == "-"
        node = self._power()
        return Call("negative", (node,)) if negative else node

    def _power(self) -> Node:
        base = self._atom()
        if self._take("^"):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise ValueError(f'"{self._text[:40]}...": is nested too deep')
            base = Call("^", (base, self._signed()))
            self._depth -= 1
        return base

    def _atom(self) -> Node:
        if self._next >= len(self._tokens):
            raise self._unexpected()
        kind, token, _ = self._tokens[self._next]
        if kind == "number":
            self._next += 1
            return Number(float(token))
        if kind == "name":
            self._next += 1
            return self._call(token) if self._take("(") else self._named(token)
        if self._take("("):
            node = self._choice()
            self._expect(")")
            return node
        raise self._unexpected()

    def _named(self, name: str) -> Node:
        if name in self._variables:
            return Variable(name)
        if name in CONSTANTS:
            return Number(CONSTANTS[name])
        raise ValueError(
            f'"{self._text}": names "{name}", which is no variable; there are '
            f"{', '.join([*self._variables, *CONSTANTS])}"
        )

    def _call(self, name: str) -> Node:
        known = {n: count for n, (count, _) in (*ELEMENTWISE.items(), *OF_VECTORS.items())}
        if name == "rnd":
            raise ValueError(
                f'"{self._text}": raymon does not have rnd, with which a row would have another '
                "value each time"
            )
        if name not in known or name == "negative":
            names = ", ".join(n for n in known if n.isidentifier() and n != "negative")
            raise ValueError(f'"{self._text}": there is no function "{name}"; there are {names}')
        arguments = [self._choice()]
        while self._take(","):
            arguments.append(self._choice())
        self._expect(")")
        if known[name] not in (0, len(arguments)):
            raise ValueError(
                f'"{self._text}": {name} takes {known[name]} arguments, not {len(arguments)}'
            )
        return Call(name, tuple(arguments))
