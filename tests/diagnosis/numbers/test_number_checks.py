"""Checks of numbers are silent on runs that are well, and find what is planted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from raymon.diagnosis import Check, checks_of
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.results import Finding, Snapshot, TableHealth
from tests.sinks.snapshots import snapshot

NOISES = {
    "normal": lambda random, n: random.normal(size=n),
    "laplace": lambda random, n: random.laplace(size=n),
    "student": lambda random, n: random.standard_t(4, size=n),
    "lognormal": lambda random, n: np.exp(random.normal(size=n)) - np.exp(0.5),
    "waves": lambda random, n: random.normal(size=n) + 3 * np.sin(np.arange(n) / 30),
}


def curve(steps: int, noise: NDArray[np.float64], relative: float) -> NDArray[np.float64]:
    """A loss that falls fast and then slowly, with noise relative to it."""
    at = np.arange(steps)
    falling = 0.35 + 0.3 * np.exp(-at / 10) + 0.05 / np.sqrt(1 + at)
    return falling * (1 + relative * noise)


def snapshots(losses: NDArray[np.float64], first: int = 0, **more: Any) -> Iterator[Snapshot]:
    for i, loss in enumerate(losses):
        given = {name: value(i) for name, value in more.items()}
        yield snapshot(10 * (first + i + 1), losses={"bce": float(loss)}, **given)


def seen(checks: list[Check], shown: Iterator[Snapshot]) -> list[list[Finding]]:
    found = []
    for each in shown:
        for check in checks:
            check.see(each)
        found.append([finding for check in checks for finding in check.findings([], 0.0)])
    return found


def kinds(found: list[list[Finding]]) -> list[set[str]]:
    return [{finding.kind for finding in each} for each in found]


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("relative", [0.002, 0.02, 0.05])
def test_no_alert_comes_of_noise(noise: str, relative: float) -> None:
    for seed in range(2):
        assert silent(seed, 300, noise, relative)


def silent(seed: int, steps: int, noise: str, relative: float) -> bool:
    """Returns whether a run that is well has no alert."""
    random = np.random.default_rng(seed)
    losses = curve(steps, NOISES[noise](random, steps), relative)
    auc = 0.75 - 0.2 * np.exp(-np.arange(steps) / 20) + 0.02 * random.normal(size=steps)
    calibration = 1 + 0.05 * random.normal(size=steps)
    shown = snapshots(
        losses,
        window_metrics=lambda i: {"auc": auc[i], "calibration": calibration[i]},
        metrics=lambda i: {"auc": auc[i]} if seed % 2 else {},
    )
    return not any(kinds(seen(checks_of(MonitorConfig()), shown)))


@pytest.mark.parametrize("seed", range(5))
def test_an_auc_that_learns_nothing_is_not_below_one_half(seed: int) -> None:
    random = np.random.default_rng(seed)
    auc, noise = 0.5 + 0.01 * random.normal(size=400), random.normal(size=400)
    shown = snapshots(curve(400, noise, 0.01), window_metrics=lambda i: {"auc": auc[i]})
    assert not any(kinds(seen(checks_of(MonitorConfig()), shown)))


def test_a_spike_is_found_at_once_and_is_over_with_it() -> None:
    random = np.random.default_rng(0)
    losses = curve(200, random.normal(size=200), 0.03)
    losses[120:125] *= 2
    found = seen(checks_of(MonitorConfig()), snapshots(losses))
    assert [i for i, each in enumerate(kinds(found)) if "loss_spike" in each] == [*range(120, 125)]
    (finding,) = found[124]
    assert (finding.subject, finding.first_step, finding.last_step) == ("bce", 1200, 1249)


def test_a_loss_that_stays_up_is_where_it_is_now_in_the_end() -> None:
    losses = curve(300, np.random.default_rng(0).normal(size=300), 0.03)
    losses[120:] *= 2
    on = [
        i
        for i, each in enumerate(kinds(seen(checks_of(MonitorConfig()), snapshots(losses))))
        if each
    ]
    assert on == [*range(120, 140)]


def test_steps_that_are_made_again_after_a_roll_back_show_the_same_spike() -> None:
    losses = curve(200, np.random.default_rng(0).normal(size=200), 0.03)
    losses[120:123] *= 2
    checks = checks_of(MonitorConfig())
    seen(checks, snapshots(losses[:150]))
    for check in checks:
        check.begin_attempt(1000)
    again = seen(checks, snapshots(losses[100:], 100))
    assert [i for i, each in enumerate(kinds(again)) if each] == [20, 21, 22]


def test_a_new_run_whose_loss_does_not_fall_is_found_and_one_that_goes_on_is_not() -> None:
    losses = 0.69 * (1 + 0.005 * np.random.default_rng(0).normal(size=60))
    shown = snapshots(losses, metrics=lambda i: {})
    assert kinds(seen(checks_of(MonitorConfig()), shown))[-1] == {"loss_plateau"}
    later = snapshots(losses, 100, metrics=lambda i: {})
    assert not any(kinds(seen(checks_of(MonitorConfig()), later)))
    # A model whose AUC is above one half has learned something.
    assert not any(kinds(seen(checks_of(MonitorConfig()), snapshots(losses))))


def test_scores_the_wrong_way_round_are_found() -> None:
    random = np.random.default_rng(0)
    losses = curve(60, random.normal(size=60), 0.01)
    auc = 0.45 + 0.02 * random.normal(size=60)
    found = seen(
        checks_of(MonitorConfig()), snapshots(losses, window_metrics=lambda i: {"auc": auc[i]})
    )
    assert kinds(found)[-1] == {"auc_below_half"}
    assert found[-1][0].subject == "auc"
    # Of precision and recall a small area is no trouble.
    pr = snapshots(losses, window_metrics=lambda i: {"pr_auc": 0.1})
    assert not any(kinds(seen(checks_of(MonitorConfig()), pr)))


def test_a_calibration_that_drifts_away_is_found_and_one_that_was_never_near_is_not() -> None:
    random = np.random.default_rng(0)
    losses, noise = curve(200, random.normal(size=200), 0.01), 0.03 * random.normal(size=200)
    drifts = np.concatenate([np.ones(100), np.linspace(1, 1.6, 100)]) + noise
    values = snapshots(losses, window_metrics=lambda i: {"calibration": drifts[i]})
    found = kinds(seen(checks_of(MonitorConfig()), values))
    assert found[-1] == {"calibration_drift"}
    assert not any(found[:140])
    never = snapshots(losses, window_metrics=lambda i: {"calibration": 2 + noise[i]})
    assert not any(kinds(seen(checks_of(MonitorConfig()), never)))


def test_learning_rates_that_are_all_zero_are_found() -> None:
    losses = curve(40, np.zeros(40), 0)
    warm_up = snapshots(losses, learning_rates=lambda i: (0.0, 0.0 if i < 2 else 0.1))
    assert not any(kinds(seen(checks_of(MonitorConfig()), warm_up)))
    ends = snapshots(losses, learning_rates=lambda i: (0.0, 0.1 if i < 30 else 0.0))
    found = kinds(seen(checks_of(MonitorConfig()), ends))
    assert [i for i, each in enumerate(found) if each] == [*range(32, 40)]


def test_a_step_that_fp16_skips_is_no_trouble_and_other_infinite_gradients_are() -> None:
    infinite = {"global_gradient_norm": math.inf}
    for skipped, scale, trouble in ((1, 1024.0, False), (0, 1024.0, True), (1, None, True)):
        shown = snapshot(10, gradient_norms=infinite, skipped_steps=skipped, loss_scale=scale)
        found = kinds(seen(checks_of(MonitorConfig()), iter([shown])))
        assert ("nonfinite" in found[0]) is trouble


def test_a_loss_that_is_not_finite_is_told_with_its_first_step() -> None:
    bad = {"non_finite": {"bce": 5}, "first_non_finite": {"bce": (3, 1)}}
    (found,) = seen(checks_of(MonitorConfig()), iter([snapshot(10, **bad)]))
    (told,) = [finding for finding in found if finding.kind == "nonfinite"]
    assert told.text == "5 values of bce NaN or infinite, first on rank 1 in step 3"
    assert (told.rank, told.first_step) == (1, 3)


def test_labels_of_one_class_are_found_while_they_are_so() -> None:
    losses = curve(20, np.zeros(20), 0)
    why = {"auc": "there is one class alone (labels are all 0)"}
    shown = snapshots(losses, no_value=lambda i: why if i < 5 else {})
    found = kinds(seen(checks_of(MonitorConfig()), shown))
    assert found == [{"labels_of_one_class"}] * 5 + [set()] * 15


def test_a_table_that_is_full_is_found_and_one_that_fills_is_not() -> None:
    random = np.random.default_rng(0)
    losses = curve(200, random.normal(size=200), 0.01)
    falls = 0.05 + 0.95 * np.exp(-np.arange(200) / 20) + 0.01 * random.normal(size=200)
    climbs = falls + np.maximum(0, np.linspace(-0.2, 0.2, 200))

    def tables(shares: NDArray[np.float64]) -> Any:
        return lambda i: {"user": TableHealth(9, 1e4, counts={"fallback_lookups": 1e4 * shares[i]})}

    found = kinds(seen(checks_of(MonitorConfig()), snapshots(losses, tables=tables(falls))))
    assert not any(found)
    found = kinds(seen(checks_of(MonitorConfig()), snapshots(losses, tables=tables(climbs))))
    assert found[-1] == {"table_fallback_climbs"}
    assert not any(found[:120])


def test_gradients_that_are_all_zero_or_not_finite_are_found() -> None:
    losses = curve(20, np.zeros(20), 0)
    norms = [1.0] * 5 + [0.0] * 5 + [float("inf")] * 2 + [1.0] * 8
    shown = snapshots(losses, dense_gradient_norm=lambda i: norms[i])
    found = kinds(seen(checks_of(MonitorConfig()), shown))
    assert found == ([set()] * 6 + [{"weights_still"}] * 4 + [{"nonfinite"}] * 2 + [set()] * 8)
