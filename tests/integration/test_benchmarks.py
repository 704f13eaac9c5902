"""The benchmarks that need Ray run, in their quick forms; their timings are ignored."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from benchmarks.harness.questions import names
from tests.benchmarks.quick import (
    WITH_BROWSER,
    WITH_GPU,
    WITHOUT_RAY,
    check_quick_form,
    run_benchmarks,
)

NAMES = sorted(set(names()) - {*WITHOUT_RAY, *WITH_GPU, *WITH_BROWSER})
LONG = {"checkpoint", "end_to_end", "scaling", "start_up"}
"""They start several runs on Ray each."""

AT_ONCE = 2
"""They wait for each other's processes to start, and for steps that only sleep."""

Runs = Mapping[str, Future[subprocess.CompletedProcess[str]]]


@pytest.fixture(scope="module")
def runs(ray_address: str, request: pytest.FixtureRequest) -> Iterator[Runs]:
    """The quick forms of the chosen benchmarks, on one cluster."""
    chosen = {name for name in NAMES for item in request.session.items if f"[{name}]" in item.name}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(run_benchmarks, name, "--quick", "--json", address=ray_address)
            for name in sorted(chosen)
        }


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.soak if name in LONG else ()) for name in NAMES],
)
def test_a_benchmark_measures_what_its_stored_result_has(name: str, runs: Runs) -> None:
    check_quick_form(name, runs[name].result())
