"""How ids get rows of their own as they are met: the policy of a table that grows."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Literal

from raymon.data.features.initializer import Initializer, parse_initializer
from raymon.errors import ConfigError
from raymon.protos import feature_pb2

Comparison = Literal[">", ">=", "<", "<=", "==", "!="]
Policy = Literal["lfu", "lru", "distance_lfu", "first"]


@dataclass(frozen=True)
class AdmissionFilter:
    """Which of the ids that were counted are admitted.

    Attributes:
        kind: A comparison of the count with `number`; or "dynamic": counts above `number` times
            their mean; or "probabilistic": each count is a chance of `number`; or "frequency":
            all accesses since the id had no row, not those of the interval alone, are `number` at
            least.
        number: Number of the comparison, multiple of the mean, probability of one access, or number
            of accesses.
        capacity: Ids without a row whose accesses are kept for "frequency".
    """

    kind: Comparison | Literal["dynamic", "probabilistic", "frequency"]
    number: float
    capacity: int = 0


@dataclass(frozen=True)
class Growth:
    """How ids get rows of their own.

    Attributes:
        eviction_interval: Steps of the optimizer from one admission and eviction to the next.
        policy: Score by which ids keep their rows; "first": all keep theirs, and the ids that were
            met first, and of these the most often, have them.
        decay_exponent: Exponent of the steps since the last access, above 0; of "lru" and
            "distance_lfu".
        admission: Which ids are admitted; None for all.
    """

    eviction_interval: int
    policy: Policy
    decay_exponent: float = 1.0
    admission: AdmissionFilter | None = None


_ONE_ARGUMENT = ast.dump(ast.arguments([], [ast.arg("x")], None, [], [], None, []))

_COMPARISONS: dict[type[ast.cmpop], Comparison] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}

_FORMS = (
    '"lambda x: (x > 10, 10)" or another comparison with a number, '
    '"lambda x: dynamic_threshold_filter(x, 1.0)", "lambda x: average_threshold_filter(x)" or '
    '"lambda x: probabilistic_threshold_filter(x, 0.01)"'
)


def growth_of(config: feature_pb2.ZeroCollisionHash, place: str) -> Growth:
    """Returns how ids get rows by the block of a feature.

    Args:
        config: Block of the feature.
        place: Path of the block in the config, for messages.

    Raises:
        ConfigError: A field is wrong.
    """
    if not 2 <= config.zch_size < 2**63:
        raise ConfigError(
            f"{place}.zch_size: is {config.zch_size}; must be at least 2, as the last row is for "
            "all ids without one"
        )
    if config.eviction_interval < 1:
        raise ConfigError(f"{place}.eviction_interval: is 0; must be at least 1")
    kind = config.WhichOneof("eviction_policy")
    exponent = 1.0
    if kind == "lfu":
        policy: Policy = "lfu"
    elif kind == "lru":
        policy, exponent = "lru", config.lru.decay_exponent
    elif kind == "distance_lfu":
        policy, exponent = "distance_lfu", config.distance_lfu.decay_exponent
    else:
        raise ConfigError(
            f"{place}: has no eviction policy; give exactly one of lfu, lru and distance_lfu"
        )
    if not (math.isfinite(exponent) and exponent > 0):
        raise ConfigError(f"{place}.{kind}.decay_exponent: is {exponent:g}; must be above 0")
    admission = None
    if config.HasField("threshold_filtering_func"):
        try:
            admission = parse_filter(config.threshold_filtering_func)
        except ValueError as error:
            raise ConfigError(f"{place}.threshold_filtering_func: {error}") from None
    return Growth(config.eviction_interval, policy, exponent, admission)


def dynamic_growth(config: feature_pb2.DynamicEmbedding, place: str) -> Growth:
    """Returns how ids get rows by the block `dynamicemb` of a feature.

    Args:
        config: Block of the feature.
        place: Path of the block in the config, for messages.

    Raises:
        ConfigError: A field is wrong.
    """
    if not 1 <= config.max_capacity < 2**63 - 1:
        raise ConfigError(f"{place}.max_capacity: is {config.max_capacity}; must be at least 1")
    if config.score_strategy not in _STRATEGIES:
        raise ConfigError(
            f'{place}.score_strategy: is "{config.score_strategy}"; must be STEP, TIMESTAMP, LFU '
            "or NO_EVICTION"
        )
    admission = _admission(config, place)
    return Growth(1, _STRATEGIES[config.score_strategy], 1.0, admission)


_STRATEGIES: dict[str, Policy] = {
    "STEP": "lru",
    "TIMESTAMP": "lru",
    "LFU": "lfu",
    "NO_EVICTION": "first",
}


def _admission(config: feature_pb2.DynamicEmbedding, place: str) -> AdmissionFilter | None:
    if config.HasField("frequency_admission_strategy"):
        frequency = config.frequency_admission_strategy
        capacity = config.max_capacity
        if frequency.HasField("counter_capacity"):
            capacity = frequency.counter_capacity
        at = f"{place}.frequency_admission_strategy"
        if not 1 <= frequency.threshold < 2**53:
            raise ConfigError(f"{at}.threshold: is {frequency.threshold}; must be at least 1")
        if not 1 <= capacity < 2**63:
            raise ConfigError(f"{at}.counter_capacity: is {capacity}; must be at least 1")
        return AdmissionFilter("frequency", float(frequency.threshold), capacity)
    if config.HasField("probabilistic_admission_strategy"):
        chance = config.probabilistic_admission_strategy.probability
        if not 0 <= chance <= 1:
            at = f"{place}.probabilistic_admission_strategy.probability"
            raise ConfigError(f"{at}: is {chance:g}; must be from 0 to 1")
        return AdmissionFilter("probabilistic", chance)
    return None


def dynamic_initializer(
    config: feature_pb2.DynamicEmbedding, dim: int, place: str
) -> Initializer | None:
    """Returns the initial values of rows by the block `dynamicemb`; None for those of all tables.

    Args:
        config: Block of the feature.
        dim: Length of an embedding.
        place: Path of the block in the config, for messages.

    Raises:
        ConfigError: A field is wrong.
    """
    if not config.HasField("initializer_args"):
        return None
    given = config.initializer_args
    bound = 1 / math.sqrt(config.max_capacity)
    lower = given.lower if given.HasField("lower") else -bound
    upper = given.upper if given.HasField("upper") else bound
    std = given.std_dev if given.HasField("std_dev") else 1 / math.sqrt(dim)
    texts = {
        "UNIFORM": f"uniform_,a={lower!r},b={upper!r}",
        "NORMAL": f"normal_,mean={given.mean!r},std={std!r}",
        "TRUNCATED_NORMAL": (
            f"trunc_normal_,mean={given.mean!r},std={std!r},a={lower!r},b={upper!r}"
        ),
        "CONSTANT": f"constant_,val={given.value!r}",
    }
    if given.mode not in texts:
        raise ConfigError(
            f'{place}.initializer_args.mode: is "{given.mode}"; must be one of {", ".join(texts)}'
        )
    try:
        return parse_initializer(texts[given.mode])
    except ValueError as error:
        raise ConfigError(f"{place}.initializer_args: {error}") from None


def parse_filter(text: str) -> AdmissionFilter:
    """Returns the filter that a text describes; the text is never run.

    Args:
        text: One of the functions of TorchEasyRec's `zch`, as `threshold_filtering_func` has it.

    Raises:
        ValueError: The text is no such function; the message says what would be one.
    """
    try:
        tree: ast.expr = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _no_filter(text) from None
    if not isinstance(tree, ast.Lambda) or ast.dump(tree.args) != _ONE_ARGUMENT:
        raise _no_filter(text)
    body = tree.body
    if isinstance(body, ast.Tuple) and len(body.elts) == 2:
        return _comparison(text, *body.elts)
    if isinstance(body, ast.Call) and isinstance(body.func, ast.Name):
        return _built_in(text, body.func.id, body)
    raise _no_filter(text)


def _comparison(text: str, condition: ast.expr, threshold: ast.expr) -> AdmissionFilter:
    if not (isinstance(condition, ast.Compare) and len(condition.ops) == 1):
        raise _no_filter(text)
    kind = _COMPARISONS.get(type(condition.ops[0]))
    number = _number(condition.comparators[0])
    if not _is_x(condition.left) or kind is None or number is None:
        raise _no_filter(text)
    if _number(threshold) != number:
        raise ValueError(
            f'"{text}" compares with {number:g}, which the second value must be too, as in '
            f'"lambda x: (x {kind} {number:g}, {number:g})"'
        )
    return AdmissionFilter(kind, number)


_BUILT_IN = {
    "dynamic_threshold_filter": ("threshold_skew_multiplier", 10.0),
    "average_threshold_filter": (None, 1.0),
    "probabilistic_threshold_filter": ("per_id_probability", 0.01),
}
"""Argument beside the counts of each function, and its default."""


def _built_in(text: str, name: str, call: ast.Call) -> AdmissionFilter:
    if name not in _BUILT_IN or not call.args or not _is_x(call.args[0]):
        raise _no_filter(text)
    argument, default = _BUILT_IN[name]
    given = [*call.args[1:], *(each.value for each in call.keywords if each.arg == argument)]
    if len(given) != len(call.args) - 1 + len(call.keywords) or len(given) > bool(argument):
        raise _no_filter(text)
    number = _number(given[0]) if given else default
    if number is None:
        raise _no_filter(text)
    if name != "probabilistic_threshold_filter":
        return AdmissionFilter("dynamic", number)
    if not 0 <= number <= 1:
        raise ValueError(f'"{text}": {number:g} is no probability; give one from 0 to 1')
    return AdmissionFilter("probabilistic", number)


def _is_x(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "x"


def _number(node: ast.expr) -> float | None:
    """Returns a number that is written out, with or without a sign; None if it is none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _number(node.operand)
        return -number if number is not None and isinstance(node.op, ast.USub) else number
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    ):
        try:
            number = float(node.value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    return None


def _no_filter(text: str) -> ValueError:
    return ValueError(f'"{text}" is no filter that is known, and is not run; use {_FORMS}')
