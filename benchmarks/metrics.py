"""How fast and how right are the metrics: raymon beside torchmetrics and scikit-learn.

All contenders take turns, with 1 and 2 threads. An update adds one batch of the given number of
rows; a value is computed from all of them. Errors are differences from scikit-learn's value. All
keep their memory, as a process that trains soon does. raymon computes the value from bins, as
in training, and from rows that are kept, as in an evaluation; torchmetrics with 200 thresholds, as
its documentation advises if memory has to stay bounded, and exactly.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import BinaryAUROC, BinaryAveragePrecision
from torchmetrics.functional.classification import binary_auroc

from benchmarks.harness import Case, Ratio, Result, Target
from benchmarks.harness.memory import keep_memory
from raymon.metrics import AUC, PRAUC, XAUC, GroupedAUC

ROUNDS = 5
RATIO_ROWS = 8_192
"""Number of rows for which there are ratios."""

FASTER, AUC_ERROR, PRAUC_ERROR = 100.0, 1e-4, 1e-3
AIMS = (
    ("AUC: update", "torchmetrics AUROC, 200 thresholds"),
    ("grouped AUC", "loop of torchmetrics"),
)
_LONG_S = 2.0

Given = TypeVar("Given")


@dataclass(frozen=True)
class Scale:
    """The amount of what is measured.

    Attributes:
        rows: Numbers of rows of updates and values.
        threads: Numbers of threads of torch.
        grouped: Numbers of rows and groups of grouped AUC.
        pairs: Numbers of rows of XAUC.
        error_rows: Number of rows of the errors.
    """

    rows: Sequence[int] = (1_024, RATIO_ROWS, 65_536, 1_000_000)
    threads: Sequence[int] = (1, 2)
    grouped: tuple[int, int] = (200_000, 20_000)
    pairs: Sequence[int] = (8_192, 200_000, 1_000_000)
    error_rows: int = 1_000_000


QUICK = Scale((RATIO_ROWS, 65_536), (1,), (20_000, 2_000), (8_192,), 100_000)
CLICK_RATES = (0.001, 0.005, 0.05, 0.33, 0.9, 0.995)


@dataclass(frozen=True)
class Contender(Generic[Given]):
    """A contender for one question.

    Attributes:
        name: Name of the contender.
        prepare: Function that returns the argument of `answer`; it is not timed.
        answer: Function that is timed.
    """

    name: str
    prepare: Callable[[], Given]
    answer: Callable[[Given], float | None]


def run(rounds: int, quick: bool) -> Result:
    """Measures all contenders for all questions."""
    scale = QUICK if quick else Scale()
    keep_memory()
    cases: list[Case] = []
    for threads in scale.threads:
        torch.set_num_threads(threads)
        for rows in scale.rows:
            cases += _curves(rows, threads, rounds)
        cases += _grouped(*scale.grouped, threads, rounds)
        for rows in scale.pairs:
            cases += _xauc(rows, threads, rounds)
    cases += list(_errors(scale.error_rows))
    return Result("metrics", cases, list(_ratios(cases)), list(_limits(cases)))


def _curves(rows: int, threads: int, rounds: int) -> list[Case]:
    scores, labels = click_scores(rows, 0.05)
    where = _threads(threads)
    whole = (scores.numpy(), labels.numpy())
    updates: list[Contender[Any]] = [
        _update("raymon AUC", _binned_auc, scores, labels),
        _update("raymon AUC, rows kept", AUC, scores, labels),
        _update(
            "torchmetrics AUROC, 200 thresholds",
            lambda: BinaryAUROC(thresholds=200),
            scores,
            labels,
        ),
        _update("torchmetrics AUROC, exact", BinaryAUROC, scores, labels),
    ]
    values: list[Contender[Any]] = [
        _value("raymon AUC", _binned_auc, scores, labels),
        _value("raymon AUC, rows kept", AUC, scores, labels),
        _value(
            "torchmetrics AUROC, 200 thresholds",
            lambda: BinaryAUROC(thresholds=200),
            scores,
            labels,
        ),
        _value("torchmetrics AUROC, exact", BinaryAUROC, scores, labels),
        Contender("scikit-learn", lambda: whole, lambda w: roc_auc_score(w[1], w[0])),
    ]
    precision: list[Contender[Any]] = [
        _value("raymon PRAUC", _binned_pr_auc, scores, labels),
        _value("raymon PRAUC, rows kept", PRAUC, scores, labels),
        _value(
            "torchmetrics AP, 200 thresholds",
            lambda: BinaryAveragePrecision(thresholds=200),
            scores,
            labels,
        ),
        _value("torchmetrics AP, exact", BinaryAveragePrecision, scores, labels),
        Contender("scikit-learn", lambda: whole, lambda w: average_precision_score(w[1], w[0])),
    ]
    area = float(roc_auc_score(whole[1], whole[0]))
    average = float(average_precision_score(whole[1], whole[0]))
    return [
        *_ask(f"AUC: update, {where}", rows, updates, rounds),
        *_ask(f"AUC: value, {where}", rows, values, rounds, area),
        *_ask(f"PR-AUC: value, {where}", rows, precision, rounds, average),
    ]


def _binned_auc() -> AUC:
    return AUC(exact_rows=0)


def _binned_pr_auc() -> PRAUC:
    return PRAUC(exact_rows=0)


def _threads(threads: int) -> str:
    return f"{threads} thread{'s' * (threads > 1)}"


def _grouped(rows: int, groups: int, threads: int, rounds: int) -> list[Case]:
    scores, labels = click_scores(rows, 0.05)
    small = torch.from_numpy(np.random.default_rng(1).integers(0, groups, rows))
    hashed = small * 0x9E3779B97F4A7C15 // 3
    exact = _loop(scores, labels, small)
    cases = []
    for keys, key in (("small keys", small), ("64-bit keys", hashed)):
        contenders = [
            Contender("raymon GroupedAUC", _given(key), partial(_grouped_auc, scores, labels)),
            Contender("loop of torchmetrics", _given(key), partial(_loop, scores, labels)),
        ]
        question = f"grouped AUC: {groups:,} groups, {keys}, {_threads(threads)}"
        cases += _ask(question, rows, contenders, rounds, exact)
    return cases


def _given(key: Tensor) -> Callable[[], Tensor]:
    return lambda: key


def _xauc(rows: int, threads: int, rounds: int) -> list[Case]:
    from scipy.stats import kendalltau

    generator = np.random.default_rng(2)
    watched = generator.lognormal(3, 1, rows).astype(np.float32)
    guessed = (watched * generator.lognormal(0, 1, rows)).astype(np.float32)
    contenders: list[Contender[Any]] = [
        _value("raymon XAUC", XAUC, torch.from_numpy(guessed), torch.from_numpy(watched))
    ]
    if rows <= 200_000:
        # Without ties tau is the share of concordant minus that of discordant pairs.
        contenders.append(
            Contender(
                "scipy kendalltau",
                lambda: (watched, guessed),
                lambda pair: (kendalltau(*pair).statistic + 1) / 2,
            )
        )
    return _ask(f"XAUC: value, {_threads(threads)}", rows, contenders, rounds)


def _errors(rows: int) -> Iterator[Case]:
    # Not timed: the error of a value, at several click rates and for crowded scores.
    inputs = {f"{rate:.1%} clicks": click_scores(rows, rate) for rate in CLICK_RATES}
    for centre in (0.0, 0.5, 1.0):
        inputs[f"crowded at {centre:g}"] = crowded_scores(rows, centre)
    for where, (scores, labels) in inputs.items():
        exact = float(roc_auc_score(labels.numpy(), scores.numpy()))
        precision = float(average_precision_score(labels.numpy(), scores.numpy()))
        for name, metric, expected in (
            ("raymon AUC", _binned_auc(), exact),
            ("raymon AUC, rows kept", AUC(), exact),
            ("torchmetrics AUROC, 200 thresholds", BinaryAUROC(thresholds=200), exact),
            ("raymon PRAUC", _binned_pr_auc(), precision),
            ("raymon PRAUC, rows kept", PRAUC(), precision),
            ("torchmetrics AP, 200 thresholds", BinaryAveragePrecision(thresholds=200), precision),
        ):
            metric.update(scores, labels)
            error = abs(float(metric.compute()) - expected)
            kind = "PR-AUC" if expected == precision else "AUC"
            yield Case(name, "error", [error], f"{kind}: error, {where}", rows, error=error)


def click_scores(rows: int, rate: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Returns calibrated scores with a spread of 1 in the logit, and clicks drawn from them.

    Args:
        rows: Number of rows.
        rate: Approximate share of clicks.
        seed: Seed of the generator.
    """
    rng = np.random.default_rng(seed)
    logit = rng.normal(np.log(rate / (1 - rate)), 1, rows)
    scores = 1 / (1 + np.exp(-logit))
    return _tensors(scores, rng.random(rows) < scores)


def crowded_scores(rows: int, centre: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Returns scores within about 1e-3 of a centre, whose order says something about the label."""
    rng = np.random.default_rng(seed)
    labels = rng.random(rows) < 0.05
    offset = (rng.normal(0, 1, rows) + labels) * 3e-4
    scores = np.clip(centre + np.abs(offset) * (1 if centre == 0 else -1), 0, 1)
    if centre == 0.5:
        scores = 0.5 + offset
    return _tensors(scores, labels)


def _tensors(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(scores.astype(np.float32)), torch.from_numpy(labels.astype(np.int64))


def _update(
    name: str, make: Callable[[], Metric], scores: Tensor, labels: Tensor
) -> Contender[Metric]:
    # The metric is not new at each update, since training makes thousands of updates.
    metric = make()

    def prepare() -> Metric:
        keeps = isinstance(metric, AUC) and metric.exact_rows
        if keeps or (isinstance(metric, BinaryAUROC) and metric.thresholds is None):
            metric.reset()  # otherwise it would keep the rows of every update
        return metric

    def answer(metric: Metric) -> None:
        metric.update(scores, labels)

    return Contender(name, prepare, answer)


def _value(
    name: str, make: Callable[[], Metric], scores: Tensor, labels: Tensor
) -> Contender[Metric]:
    def prepare() -> Metric:
        metric = make()
        metric.update(scores, labels)
        return metric

    return Contender(name, prepare, lambda metric: float(metric.compute()))


def _grouped_auc(scores: Tensor, labels: Tensor, key: Tensor) -> float:
    metric = GroupedAUC()
    metric.update(scores, labels, key)
    return float(metric.compute())


def _loop(scores: Tensor, labels: Tensor, key: Tensor) -> float:
    order = key.argsort()
    sizes = torch.unique_consecutive(key[order], return_counts=True)[1].tolist()
    areas = [
        binary_auroc(s, t, validate_args=False)
        for s, t in zip(scores[order].split(sizes), labels[order].split(sizes), strict=True)
        if 0 < t.sum() < len(t)
    ]
    return float(torch.stack(areas).double().mean())


def _ask(
    question: str,
    size: int,
    contenders: Sequence[Contender[Any]],
    rounds: int,
    expected: float | None = None,
) -> list[Case]:
    # In turns, so that the state of the machine is the same for all of them.
    seconds: dict[str, list[float]] = {c.name: [] for c in contenders}
    answers: dict[str, float | None] = {}
    for _ in range(rounds):
        for contender in contenders:
            taken = seconds[contender.name]
            if taken and taken[0] > _LONG_S:
                continue
            # What takes microseconds is repeated, and the best time counts.
            best = float("inf")
            until = time.perf_counter() + 0.02
            while best == float("inf") or time.perf_counter() < until:
                given = contender.prepare()
                gc.disable()
                began = time.perf_counter()
                answers[contender.name] = contender.answer(given)
                best = min(best, time.perf_counter() - began)
                gc.enable()
            taken.append(best)
    return [
        Case(
            name,
            "ms",
            [1e3 * s for s in taken],
            question,
            size,
            error=_error(answers[name], expected),
        )
        for name, taken in seconds.items()
    ]


def _error(answer: float | None, expected: float | None) -> float | None:
    return None if answer is None or expected is None else abs(float(answer) - expected)


def _ratios(cases: Sequence[Case]) -> Iterator[Ratio]:
    for asked, group in groupby(cases, key=lambda case: case.asked):
        ours, *peers = group
        # One size is enough for questions that were asked for many.
        is_curve = ours.question.startswith(("AUC", "PR"))
        if ours.unit != "ms" or (is_curve and ours.size != RATIO_ROWS):
            continue
        for peer in peers:
            if peer.contender.startswith("raymon"):
                continue
            aimed_at = any(
                ours.question.startswith(question) and peer.contender == contender
                for question, contender in AIMS
            )
            name = f"{asked}: times faster than {peer.contender}"
            yield Ratio.faster(name, ours, peer, FASTER if aimed_at else None)


def _limits(cases: Sequence[Case]) -> Iterator[Target]:
    for name, limit in (("AUC", AUC_ERROR), ("PRAUC", PRAUC_ERROR)):
        errors = [
            c.error
            for c in cases
            if c.contender.startswith(f"raymon {name}") and c.error is not None
        ]
        yield Target(f"largest error of {name}", max(errors), limit, max(errors) < limit)
