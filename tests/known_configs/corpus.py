"""The public configs of TorchEasyRec, by name: their blocks and fields, in descriptions of our own.

Long lists (the boundaries of prices) are shorter here than there; sizes of tables are the same.
"""

from __future__ import annotations

from tests.known_configs.blocks import Block
from tests.known_configs.ccp import CCP
from tests.known_configs.criteo import CRITEO
from tests.known_configs.mock import MOCK
from tests.known_configs.mock_match import MOCK_MATCH
from tests.known_configs.mock_raw import MOCK_RAW
from tests.known_configs.refused import REFUSED
from tests.known_configs.taobao import TAOBAO

KNOWN: dict[str, Block] = dict(
    sorted({**TAOBAO, **CRITEO, **CCP, **MOCK, **MOCK_RAW, **MOCK_MATCH, **REFUSED}.items())
)
"""Configs by name: of the folders "examples", "tests" and "benchmarks" there."""
