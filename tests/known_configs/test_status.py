"""The guide says which of the known configs are refused."""

from __future__ import annotations

import re
from pathlib import Path

from tests.known_configs.corpus import KNOWN
from tests.known_configs.status import REFUSED, TRAINED

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "coming-from-torcheasyrec.md"


def test_the_guide_lists_the_configs_that_are_refused() -> None:
    _, _, section = GUIDE.read_text().partition("## Which public configs train\n")
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    listed = re.findall(r"`((?:examples|tests|benchmarks)/[\w/]+)`", "\n".join(rows))
    assert sorted(listed) == sorted(REFUSED)
    assert f"describe {len(KNOWN)} public configs" in section


def test_most_of_the_known_configs_train() -> None:
    assert len(TRAINED) >= 45
    assert len([name for name in TRAINED if name.startswith("examples/")]) >= 12
