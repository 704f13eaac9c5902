"""Runs on a terminal: curves in braille, ranks, alerts, checkpoints."""

from raymon.board.terminal.once import frame_json, frame_text
from raymon.board.terminal.watching import watch_run

__all__ = ["frame_json", "frame_text", "watch_run"]
