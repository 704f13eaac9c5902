"""What is wrong in the settings of a rank model is told with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from raymon.config import load
from raymon.errors import ConfigError
from tests.config.texts import TEXT, write

MASK_NET = """mask_net { mask_net_module { n_mask_blocks: 2 mask_block { hidden_dim: 4 } } }"""


def with_mask_net(groups: str, blocks: str = MASK_NET) -> str:
    start = TEXT.index("feature_groups {")
    end = TEXT.index("losses {")
    return TEXT[:start] + groups + blocks + TEXT[end:]


def group_of(name: str, kind: str = "DEEP") -> str:
    return f'feature_groups {{ group_name: "{name}" group_type: {kind} feature_names: "user" }}'


def test_a_model_of_one_group_takes_the_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(write(tmp_path, with_mask_net(group_of("any") + group_of("more"))))
    told = [message for message in caplog.messages if "feature_groups" in message]
    assert len(told) == 1
    assert told[0].endswith(
        "model_config.feature_groups[1]: has no effect: mask_net takes the first group alone"
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (with_mask_net(""), "has no feature_groups; mask_net takes one, of any name"),
        (with_mask_net(group_of("x", "WIDE")), 'group_type: must be DEEP for group "x"'),
        (
            with_mask_net(group_of("x"), MASK_NET.replace("n_mask_blocks: 2", "n_mask_blocks: 0")),
            "mask_net.mask_net_module.n_mask_blocks: is 0; must be at least 1",
        ),
        (
            with_mask_net(group_of("x"), MASK_NET.replace("}", "reduction_ratio: -1 }", 1)),
            "mask_block.reduction_ratio: is -1.0; must be above 0",
        ),
    ],
)
def test_mask_net_says_what_it_needs(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(error)):
        load(write(tmp_path, text))
