"""The health of tables: what is counted of their lookups, and the figures made of it."""

from raymon.embeddings.health.figures import table_health
from raymon.embeddings.health.lookup_counter import LookupCounter

__all__ = ["LookupCounter", "table_health"]
