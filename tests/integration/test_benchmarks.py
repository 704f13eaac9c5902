"""The benchmarks that need Ray run, in their quick forms; their timings are ignored.

`make soak` runs them, beside those of `tests/benchmarks`; types and imports of all are in
`make test`.
"""

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

pytestmark = pytest.mark.soak

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


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_measures_what_its_stored_result_has(name: str, runs: Runs) -> None:
    check_quick_form(name, runs[name].result())
