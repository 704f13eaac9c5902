"""The rows of a step that has several predictions, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from raymon.errors import UserError
from raymon.monitor.columns import Column, Columns, Rows, column, row_count


class MetricsOf(NamedTuple):
    """The metrics of a prediction.

    Attributes:
        names: Their names.
        take_both: Whether one of them takes predictions and targets.
    """

    names: tuple[str, ...]
    take_both: bool


def rows_by_name(
    predictions: Columns | None,
    targets: Columns | None,
    weights: Columns | None,
    metrics: Mapping[str, MetricsOf],
) -> tuple[dict[str, Rows], list[Exception]]:
    """Returns what the metrics of each prediction get, and what is wrong, which costs only itself.

    Args:
        predictions: Predictions by name; anything else is wrong.
        targets: Targets by name; anything else is wrong.
        weights: Sample weights of all predictions, or by name; None if there are none.
        metrics: The metrics of each prediction; the name is empty for metrics without one.
    """
    if not isinstance(predictions, Mapping) or not isinstance(targets, Mapping | None):
        return {}, [UserError(_in_both(predictions, targets))]
    errors: list[Exception] = []
    if "" in metrics:
        errors.append(UserError(_by_prediction(metrics[""].names, next(iter(predictions), "name"))))
    found: dict[str, Rows] = {}
    for name, prediction in predictions.items():
        try:
            target = None if targets is None else targets.get(name)
            weight = weights.get(name) if isinstance(weights, Mapping) else weights
            found[name] = _rows(name, prediction, target, weight)
            if target is None and name in metrics and metrics[name].take_both:
                found[name] = found[name]._replace(columns=())
                errors.append(_missing("targets", name, targets))
        except Exception as error:  # what is wrong costs only this prediction
            errors.append(error)
    errors += [
        _missing("predictions", name, predictions)
        for name in metrics
        if name and name not in predictions
    ]
    return found, errors


def names_needed(metrics: Mapping[str, MetricsOf]) -> UserError:
    """Returns what is wrong with predictions without names, where metrics are of named ones."""
    names = ", ".join(f'"{name}": ...' for name in metrics)
    return UserError(
        f"metrics are of predictions by name; give predictions={{{names}}}, and targets likewise"
    )


def _rows(name: str, prediction: Column, target: Column | None, weight: Column | None) -> Rows:
    columns: tuple[Tensor, ...] = (column(f'prediction "{name}"', prediction),)
    weights = None if weight is None else column(f'the weights of "{name}"', weight)
    if target is not None:
        columns += (column(f'the targets of "{name}"', target),)
    count = row_count(columns[0])
    if row_count(columns[-1]) != count:
        raise UserError(f'prediction "{name}" has other rows than its targets')
    if weights is not None and row_count(weights) != count:
        raise UserError(
            f'prediction "{name}" has other rows than its weights; give weights by name'
        )
    return Rows(columns, weights, count)


def _missing(what: str, name: str, given: Mapping[str, Column] | None) -> UserError:
    there = ", ".join(given) if given else "none"
    return UserError(
        f'a step without {what} of "{name}" is not in its metrics; give {what}={{"{name}": ...}} '
        f"(there are {there:.200})"
    )


def _in_both(predictions: object, targets: object) -> str:
    wrong, value = ("predictions", predictions)
    if isinstance(predictions, Mapping):
        wrong, value = ("targets", targets)
    kind = "missing" if value is None else f"a {type(value).__name__}"
    return f'{wrong} are {kind}; give predictions and targets both by name: {{"name": tensor}}'


def _by_prediction(names: tuple[str, ...], first: str) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        f'predictions are given by name; write train_metrics={{"{first}": [{listed}]}}, and the '
        f"metrics are shown as {names[0]}_{first}"
    )
