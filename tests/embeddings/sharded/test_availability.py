"""What is installed is checked by its versions, before anything is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError

import pytest

from raymon.embeddings.sharded.availability import fitting_versions, why_unavailable

FITTING = {"torch": "2.13.0+cpu", "torchrec": "1.8.0", "fbgemm-gpu-cpu": "1.8.0"}


def installed(versions: Mapping[str, str]) -> Callable[[str], str]:
    def version_of(name: str) -> str:
        if name not in versions:
            raise PackageNotFoundError(name)
        return versions[name]

    return version_of


def test_versions_that_fit_are_available() -> None:
    assert why_unavailable(installed(FITTING)) is None
    cuda = {"torch": "2.13.1", "torchrec": "1.8.1", "fbgemm-gpu": "1.8.0"}
    assert why_unavailable(installed(cuda)) is None


@pytest.mark.parametrize(
    ("versions", "why"),
    [
        ({"torch": "2.13.0"}, "TorchRec is not installed; "),
        ({"torch": "2.13.0", "torchrec": "1.8.0"}, "fbgemm, which TorchRec needs, is not"),
        (
            {**FITTING, "fbgemm-gpu-cpu": "1.7.0"},
            "fbgemm 1.7.0 is not built for torch 2.13.0+cpu, fbgemm 1.8.* is; ",
        ),
        (
            {**FITTING, "torchrec": "1.18.0"},
            "torchrec 1.18.0 is not built for torch 2.13.0+cpu, torchrec 1.8.* is; ",
        ),
        ({**FITTING, "torch": "1.13.1"}, "fbgemm 1.8.0 is not built for torch 1.13.1, no version"),
    ],
)
def test_the_first_thing_that_does_not_fit_is_said(versions: dict[str, str], why: str) -> None:
    found = why_unavailable(installed(versions))
    assert found is not None
    assert found.startswith(why)


def test_versions_are_those_of_the_torch() -> None:
    # As published: fbgemm 1.1 with torch 2.6, 1.8 with torch 2.13.
    assert fitting_versions("2.6.0+cu124") == "1.1.*"
    assert fitting_versions("2.13.0") == "1.8.*"
    assert fitting_versions("1.13.0") is None
