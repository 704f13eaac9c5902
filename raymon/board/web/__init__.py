"""A web page over runs: its server, which only reads, and what the page is made of."""

from raymon.board.web.serve import serve

__all__ = ["serve"]
