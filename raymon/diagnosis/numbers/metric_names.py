"""What metrics are, by their names."""

from __future__ import annotations


def is_auc(name: str) -> bool:
    """Returns whether a metric is an area under the ROC curve, grouped or not."""
    words = name.split("_")
    return "auc" in words and "pr" not in words
