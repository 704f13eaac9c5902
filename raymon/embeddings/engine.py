"""The engine that holds the tables: which one a config asks for."""

from __future__ import annotations

from raymon.errors import ConfigError
from raymon.protos.train_pb2 import EmbeddingTables


def check_engine(asked: EmbeddingTables) -> None:
    """Checks that there is an engine of the kind that `train_config.embedding_tables` asks for.

    Raises:
        ConfigError: There is none.
    """
    if asked == EmbeddingTables.SHARDED:
        raise ConfigError(
            "train_config.embedding_tables: is SHARDED, and there is no engine that shards tables; "
            "use AUTO or REPLICATED"
        )
