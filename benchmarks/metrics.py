"""How fast and how right are the metrics: raymon beside torchmetrics and scikit-learn.

Each question is asked of all contenders in turns, with 1 and 2 threads. An update adds one batch
of that many rows; a value is computed from all of them. Errors are against scikit-learn on the
same scores.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor
from torchmetrics.classification import BinaryAUROC, BinaryAveragePrecision
from torchmetrics.functional.classification import binary_auroc

from benchmarks.harness.result import Case, Result, Target
from raymon.metrics import AUC, PRAUC, XAUC, GroupedAUC

ROWS = (1_024, 8_192, 65_536, 1_000_000, 10_000_000)
THREADS = (1, 2)
GROUPED_ROWS, GROUPS = 200_000, 20_000
CLICK_RATES = (0.001, 0.005, 0.05, 0.33, 0.9, 0.995)
_LONG_S = 5.0


@dataclass(frozen=True)
class Contender:
    """Somebody who answers a question.

    Attributes:
        prepare: gives what `answer` is called with; not timed.
        answer: what is timed.
    """

    name: str
    prepare: Callable[[], object]
    answer: Callable[[object], object]


def run(rounds: int) -> Result:
    """Asks all questions."""
    cases: list[Case] = []
    for threads in THREADS:
        torch.set_num_threads(threads)
        for rows in ROWS:
            cases += _curves(rows, threads, rounds)
        cases += _grouped(threads, rounds)
        cases += _xauc(threads, rounds)
    cases += list(_errors())
    return Result("metrics", cases, list(_targets(cases)))


def _curves(rows: int, threads: int, rounds: int) -> list[Case]:
    scores, labels = click_scores(rows, 0.05)
    where = f"{rows:,} rows, {threads} thread{'s' * (threads > 1)}"
    whole = (scores.numpy(), labels.numpy())
    updates = [
        _update("raymon AUC", AUC, scores, labels),
        _update(
            "torchmetrics AUROC, 200 thresholds",
            lambda: BinaryAUROC(thresholds=200),
            scores,
            labels,
        ),
        _update("torchmetrics AUROC, exact", BinaryAUROC, scores, labels),
    ]
    values = [
        _value("raymon AUC", AUC, scores, labels),
        _value(
            "torchmetrics AUROC, 200 thresholds",
            lambda: BinaryAUROC(thresholds=200),
            scores,
            labels,
        ),
        _value("torchmetrics AUROC, exact", BinaryAUROC, scores, labels),
        Contender("scikit-learn", lambda: whole, lambda w: roc_auc_score(w[1], w[0])),
    ]
    precision = [
        _value("raymon PRAUC", PRAUC, scores, labels),
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
        *_ask(f"AUC: update, {where}", updates, rounds),
        *_ask(f"AUC: value, {where}", values, rounds, area),
        *_ask(f"PR-AUC: value, {where}", precision, rounds, average),
    ]


def _grouped(threads: int, rounds: int) -> list[Case]:
    scores, labels = click_scores(GROUPED_ROWS, 0.05)
    small = torch.from_numpy(np.random.default_rng(1).integers(0, GROUPS, GROUPED_ROWS))
    hashed = small * 0x9E3779B97F4A7C15 // 3
    exact = _loop(scores, labels, small)
    cases = []
    for keys, key in (("small keys", small), ("64-bit keys", hashed)):
        contenders = [
            Contender(
                "raymon GroupedAUC", lambda k=key: k, lambda k: _grouped_auc(scores, labels, k)
            ),
            Contender("loop of torchmetrics", lambda k=key: k, lambda k: _loop(scores, labels, k)),
        ]
        where = f"{GROUPED_ROWS:,} rows in {GROUPS:,} groups, {keys}, {threads} thread"
        cases += _ask(f"grouped AUC: {where}{'s' * (threads > 1)}", contenders, rounds, exact)
    return cases


def _xauc(threads: int, rounds: int) -> list[Case]:
    from scipy.stats import kendalltau

    generator = np.random.default_rng(2)
    cases = []
    for rows in (8_192, 200_000, 10_000_000):
        watched = generator.lognormal(3, 1, rows).astype(np.float32)
        guessed = (watched * generator.lognormal(0, 1, rows)).astype(np.float32)
        both = torch.from_numpy(guessed), torch.from_numpy(watched)
        contenders = [_value("raymon XAUC", XAUC, *both)]
        if rows <= 200_000:
            # Without ties tau is concordant minus discordant pairs over all.
            contenders.append(
                Contender(
                    "scipy kendalltau",
                    lambda w=watched, g=guessed: (w, g),
                    lambda pair: (kendalltau(*pair).statistic + 1) / 2,
                )
            )
        where = f"{rows:,} rows, {threads} thread{'s' * (threads > 1)}"
        cases += _ask(f"XAUC: value, {where}", contenders, rounds)
    return cases


def _errors() -> Iterator[Case]:
    # Not timed: what a value is off by, at click rates and for crowded scores.
    rows = 1_000_000
    inputs = {f"{rate:.1%} clicks": click_scores(rows, rate) for rate in CLICK_RATES}
    for centre in (0.0, 0.5, 1.0):
        inputs[f"crowded at {centre:g}"] = crowded_scores(rows, centre)
    for where, (scores, labels) in inputs.items():
        exact = float(roc_auc_score(labels.numpy(), scores.numpy()))
        precision = float(average_precision_score(labels.numpy(), scores.numpy()))
        for name, metric, expected in (
            ("raymon AUC", AUC(), exact),
            ("torchmetrics AUROC, 200 thresholds", BinaryAUROC(thresholds=200), exact),
            ("raymon PRAUC", PRAUC(), precision),
            ("torchmetrics AP, 200 thresholds", BinaryAveragePrecision(thresholds=200), precision),
        ):
            metric.update(scores, labels)
            error = abs(float(metric.compute()) - expected)
            kind = "PR-AUC" if expected == precision else "AUC"
            yield Case(name, "error", [error], f"{kind}: error, {rows:,} rows, {where}", error)


def click_scores(rows: int, rate: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Calibrated scores with a spread of 1 in the logit, and clicks drawn from them.

    Args:
        rows: how many.
        rate: share of clicks, about.
        seed: of the generator.
    """
    rng = np.random.default_rng(seed)
    logit = rng.normal(np.log(rate / (1 - rate)), 1, rows)
    scores = 1 / (1 + np.exp(-logit))
    return _tensors(scores, rng.random(rows) < scores)


def crowded_scores(rows: int, centre: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Scores within about 1e-3 of a centre, whose order says something about the label."""
    rng = np.random.default_rng(seed)
    labels = rng.random(rows) < 0.05
    offset = (rng.normal(0, 1, rows) + labels) * 3e-4
    scores = np.clip(centre + np.abs(offset) * (1 if centre == 0 else -1), 0, 1)
    if centre == 0.5:
        scores = 0.5 + offset
    return _tensors(scores, labels)


def _tensors(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(scores.astype(np.float32)), torch.from_numpy(labels.astype(np.int64))


def _update(name: str, make: Callable[[], object], scores: Tensor, labels: Tensor) -> Contender:
    # Not the first update of a metric: a training makes thousands.
    metric = make()

    def prepare() -> object:
        if isinstance(metric, BinaryAUROC) and metric.thresholds is None:
            metric.reset()  # it keeps the rows of every update
        return metric

    def answer(metric: object) -> None:
        metric.update(scores, labels)  # type: ignore[attr-defined]

    return Contender(name, prepare, answer)


def _value(name: str, make: Callable[[], object], scores: Tensor, labels: Tensor) -> Contender:
    def prepare() -> object:
        metric = make()
        metric.update(scores, labels)  # type: ignore[attr-defined]
        return metric

    return Contender(name, prepare, lambda metric: float(metric.compute()))  # type: ignore[attr-defined]


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
    question: str, contenders: Sequence[Contender], rounds: int, expected: float | None = None
) -> list[Case]:
    # In turns, so that all of them share the machine's mood.
    seconds: dict[str, list[float]] = {c.name: [] for c in contenders}
    answers: dict[str, object] = {}
    for _ in range(rounds):
        for contender in contenders:
            taken = seconds[contender.name]
            if taken and taken[0] > _LONG_S:
                continue
            # What takes microseconds is repeated until it can be read off a clock.
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
            None if expected is None else abs(float(answers[name]) - expected),  # type: ignore[arg-type]
        )
        for name, taken in seconds.items()
    ]


def _targets(cases: Sequence[Case]) -> Iterator[Target]:
    def median(question: str, contender: str) -> float:
        return next(c.median for c in cases if (c.question, c.contender) == (question, contender))

    for threads in ("1 thread", "2 threads"):
        question = f"AUC: update, 8,192 rows, {threads}"
        ratio = median(question, "torchmetrics AUROC, 200 thresholds") / median(
            question, "raymon AUC"
        )
        yield Target(f"{question}: times faster", ratio, 100, ratio >= 100)
    for case in cases:
        if case.question.startswith("grouped AUC") and case.contender.startswith("raymon"):
            ratio = median(case.question, "loop of torchmetrics") / case.median
            yield Target(f"{case.question}: times faster", ratio, 100, ratio >= 100)
    for name, limit in (("AUC", 1e-4), ("PRAUC", 1e-3)):
        errors = [c.error for c in cases if c.contender == f"raymon {name}" and c.error is not None]
        yield Target(f"largest error of {name}", max(errors), limit, max(errors) < limit)
