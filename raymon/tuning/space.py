"""The file of a sweep: which fields are varied, and what decides about trials."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from os import PathLike

from raymon.config import Source, missing_field, read_message
from raymon.errors import ConfigError
from raymon.protos.tune_pb2 import TuneConfig
from raymon.tuning.parameters import Parameter

MOST_TRIALS = 10_000

_WHAT = "the space of a sweep, a TuneConfig,"


@dataclass(frozen=True)
class Space:
    """What a sweep varies, checked by itself.

    Attributes:
        config: The content of the file.
        source: Where each field is given.
        parameters: The fields that are varied.
        num_trials: Number of trials.
    """

    config: TuneConfig
    source: Source
    parameters: tuple[Parameter, ...]
    num_trials: int


def read_space(space: str | PathLike[str] | TuneConfig) -> Space:
    """Returns a space, checked as far as it can be without the config that it is for.

    Args:
        space: Path of a protobuf text file, or its content.

    Raises:
        ConfigError: Something is wrong with it; the message names file, line, field and remedy.
    """
    if isinstance(space, TuneConfig):
        config, source = space, Source("the space")
    else:
        config = TuneConfig()
        source = read_message(space, config, _WHAT)
    missing = missing_field(config)
    if missing is not None:
        raise source.error(missing, "is missing; it must be given")
    if not config.parameters:
        raise source.error(
            "parameters",
            'is missing; name a field to vary, as in parameters { path: "'
            'train_config.dense_optimizer.adam_optimizer.lr" loguniform { low: 1e-4 high: 1e-1 } }',
        )
    parameters = tuple(_parameter(config, index, source) for index in range(len(config.parameters)))
    _check_paths(parameters, source)
    _check_scheduler(config, source)
    return Space(config, source, parameters, _number_of_trials(config, parameters, source))


def _parameter(config: TuneConfig, index: int, source: Source) -> Parameter:
    given, place = config.parameters[index], f"parameters[{index}]"
    kind = given.WhichOneof("values")
    path = ".".join(part for part in re.split(r"[.\[\]]+", given.path.strip()) if part)
    if not path:
        raise source.error(f"{place}.path", "is empty; give the path of a field, as for --set")
    if kind is None:
        raise source.error(
            place, "has no values; give uniform, loguniform, randint, choice or grid"
        )
    inner = getattr(given, kind)
    if kind in ("choice", "grid"):
        values = tuple(inner.values)
        if not values:
            raise source.error(f"{place}.{kind}", 'is empty; give values, as in values: "0.1"')
        if len(set(values)) < len(values):
            raise source.error(f"{place}.{kind}", "has a value twice; give each once")
        return Parameter(path, place, kind, values=values)
    low, high = inner.low, inner.high
    if not (math.isfinite(low) and math.isfinite(high)):
        raise source.error(f"{place}.{kind}", f"is from {low} to {high}; both must be finite")
    if not low < high:
        raise source.error(f"{place}.{kind}.high", f"is {high:g}; must be above low, {low:g}")
    if kind == "loguniform" and low <= 0:
        raise source.error(f"{place}.{kind}.low", f"is {low:g}; must be above 0")
    return Parameter(path, place, kind, low, high)


def _check_paths(parameters: tuple[Parameter, ...], source: Source) -> None:
    for index, one in enumerate(parameters):
        for other in parameters[:index]:
            if one.path == other.path:
                raise source.error(
                    f"{one.place}.path",
                    f'"{one.path}" is given twice, first at {source.place(other.place)}; '
                    "give it once",
                )
            outer, inner = sorted((one.path, other.path), key=len)
            if inner.startswith(f"{outer}."):
                raise source.error(
                    f"{one.place}.path", f'"{inner}" is in "{outer}", which is varied too'
                )


def _check_scheduler(config: TuneConfig, source: Source) -> None:
    if config.HasField("asha"):
        asha = config.asha
        _positive(config, source, "asha", "grace_period", "max_t")
        if not asha.reduction_factor > 1 or not math.isfinite(asha.reduction_factor):
            raise source.error(
                "asha.reduction_factor", f"is {asha.reduction_factor:g}; must be above 1"
            )
    if config.HasField("pbt"):
        pbt = config.pbt
        _positive(config, source, "pbt", "perturbation_interval")
        if not 0 < pbt.quantile_fraction <= 0.5:
            raise source.error(
                "pbt.quantile_fraction",
                f"is {pbt.quantile_fraction:g}; must be above 0, and at most 0.5",
            )
        if not 0 <= pbt.resample_probability <= 1:
            raise source.error(
                "pbt.resample_probability", f"is {pbt.resample_probability:g}; must be from 0 to 1"
            )
    if config.HasField("max_concurrent_trials") and not config.max_concurrent_trials:
        raise source.error("max_concurrent_trials", "is 0; must be above 0")


def _positive(config: TuneConfig, source: Source, block: str, *names: str) -> None:
    for name in names:
        inner = getattr(config, block)
        if inner.HasField(name) and getattr(inner, name) <= 0:
            raise source.error(f"{block}.{name}", "is 0; must be above 0")


def _number_of_trials(config: TuneConfig, parameters: tuple[Parameter, ...], source: Source) -> int:
    grids = [parameter for parameter in parameters if parameter.kind == "grid"]
    combinations = math.prod(len(parameter.values) for parameter in grids)
    number = config.num_trials
    if not config.HasField("num_trials"):
        if len(grids) < len(parameters):
            raise source.error("num_trials", "is missing; give the number of trials")
        number = combinations
    if number < 1:
        raise source.error("num_trials", "is 0; must be at least 1")
    if number > MOST_TRIALS:
        raise source.error("num_trials", f"is {number:,}; must be at most {MOST_TRIALS:,}")
    if config.HasField("pbt") and number < 2:
        raise source.error("num_trials", "is 1; pbt needs 2 or more, which learn from each other")
    if number % combinations:
        above = (number // combinations + 1) * combinations
        raise source.error(
            "num_trials",
            f"is {number}; the grids have {combinations} combinations: give {above}, "
            f"or another multiple of {combinations}",
        )
    return number


def located(error: ConfigError, place: str, source: Source) -> ConfigError:
    """Returns an error of an override as one of the space.

    Args:
        error: Error whose message is `--set PATH=VALUE: PATH: what is wrong`.
        place: Path of the parameter in the space.
        source: Source of the space.
    """
    given, _, message = str(error).partition(": ")
    if not given.startswith("--set "):
        return source.error(place, str(error))
    return source.error(place, message)
