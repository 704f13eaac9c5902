"""A synthetic click log: users and items with tastes, and the best AUC that a model can reach.

`python -m raymon.data.synthetic DIR` writes one, unless DIR holds one already.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from raymon.storage import to_json

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CATEGORIES = np.array(["books", "film", "food", "games", "music", "news", "sport", "travel"])
_TAGS = np.array([f"tag{i}" for i in range(24)])
_DEVICES = np.array(["android", "ios", "web", "tv"])
_CLICK_RATE = 0.05
_AGE_GROUPS = 4
_ROW_GROUP = 20_000
_TRAIN_FILES, _EVAL_FILES = 4, 2


@dataclass(frozen=True)
class SyntheticSummary:
    """A summary of a generated log.

    Attributes:
        train_rows: Impressions in `train/`.
        eval_rows: Impressions in `eval/`.
        click_rate: Share of the eval rows with a click.
        best_auc: AUC of the true click probability on the eval rows.
        popularity_auc: AUC of the items' click rate in the train rows, on the eval rows.
    """

    train_rows: int
    eval_rows: int
    click_rate: float
    best_auc: float
    popularity_auc: float


def generate(
    directory: str | Path,
    *,
    users: int = 3000,
    items: int = 400,
    train_rows: int = 320_000,
    eval_rows: int = 80_000,
    seed: int = 0,
) -> SyntheticSummary:
    """Writes `train/part-*.parquet`, `eval/part-*.parquet` and, last, `summary.json`.

    The log-odds of a click add the match of the user's interests with the item's category, a taste
    of each age group for each category, effects of tags, price, device and hour, and small effects
    of the single user and item. The rows are a function of the arguments.

    Args:
        directory: Directory to write into; it is made if it does not exist.
        users: Number of users; each has an age and interests, and appears equally often.
        items: Number of items; some appear more often than others.
        train_rows: Impressions to train on.
        eval_rows: Impressions to evaluate on.
        seed: Seed of all random numbers.

    Returns:
        The summary that is also in `summary.json`.
    """
    rng = np.random.default_rng(seed)
    world = _World(rng, users, items)
    rows = train_rows + eval_rows
    user = rng.integers(0, users, rows)
    item = rng.choice(items, rows, p=world.exposure)
    hour = rng.integers(0, 24, rows)
    device = rng.choice(len(_DEVICES), rows, p=[0.45, 0.3, 0.15, 0.1])
    probability = _calibrated(world.log_odds(user, item, hour, device))
    click = (rng.random(rows) < probability).astype(np.int8)
    unknown_device = rng.random(rows) < 0.02
    table = world.table(user, item, hour, device, unknown_device).append_column(
        "click", pa.array(click)
    )

    directory = Path(directory)
    _write(table.slice(0, train_rows), directory / "train", _TRAIN_FILES)
    _write(table.slice(train_rows), directory / "eval", _EVAL_FILES)
    train, test = slice(0, train_rows), slice(train_rows, rows)
    clicks = np.bincount(item[train], weights=click[train], minlength=items)
    shown = np.bincount(item[train], minlength=items)
    popularity = (clicks + 20 * _CLICK_RATE) / (shown + 20)
    summary = SyntheticSummary(
        train_rows=train_rows,
        eval_rows=eval_rows,
        click_rate=float(click[test].mean()),
        best_auc=_auc(probability[test], click[test]),
        popularity_auc=_auc(popularity[item[test]], click[test]),
    )
    (directory / "summary.json").write_text(to_json(asdict(summary), indent=2) + "\n")
    return summary


class _World:
    """Users, items, and the tastes of the users."""

    def __init__(self, rng: np.random.Generator, users: int, items: int) -> None:
        kinds = len(_CATEGORIES)
        self.age = rng.integers(16, 76, users).astype(np.float64)
        self.age[rng.random(users) < 0.08] = np.nan
        self.interests = rng.random((users, kinds)) < 0.25
        self.interests[rng.random(users) < 0.06] = False
        self.user_effect = rng.normal(0, 0.1, users)

        self.category = rng.integers(0, kinds, items)
        self.tags = [rng.choice(len(_TAGS), rng.integers(0, 4), False) for _ in range(items)]
        self.price = np.round(np.exp(rng.normal(3, 0.8, items)), 2)
        self.price[rng.random(items) < 0.08] = np.nan
        self.exposure = rng.gamma(2.0, size=items)
        self.exposure /= self.exposure.sum()

        price_effect = np.nan_to_num(-0.25 * (np.log(self.price) - 3))
        tag_effect = rng.normal(0, 0.25, len(_TAGS))
        self.item_effect = (
            rng.normal(0, 0.2, items)
            + price_effect
            + np.array([tag_effect[tags].sum() for tags in self.tags])
        )
        # One more group for an unknown age, which has no taste.
        self.age_taste = np.vstack([rng.normal(0, 0.45, (_AGE_GROUPS, kinds)), np.zeros(kinds)])
        self.device_effect = np.array([0.1, 0.3, -0.3, -0.6])

    def log_odds(self, user: Ints, item: Ints, hour: Ints, device: Ints) -> Floats:
        """Returns the log-odds of a click, float64 `[B]`, of indices and hours `[B]`."""
        category = self.category[item]
        age = self.age[user]
        group = np.where(np.isnan(age), _AGE_GROUPS, (age - 16) // 15).astype(np.int64)
        result: Floats = (
            2.2 * self.interests[user, category]
            + self.age_taste[group, category]
            + self.item_effect[item]
            + self.user_effect[user]
            + self.device_effect[device]
            + 0.3 * np.cos((hour - 20) * np.pi / 12)
        )
        return result

    def table(
        self,
        user: Ints,
        item: Ints,
        hour: Ints,
        device: Ints,
        unknown_device: npt.NDArray[np.bool_],
    ) -> pa.Table:
        """Returns the impressions as a table of raw columns, without the clicks."""
        interests = ["|".join(_CATEGORIES[row]) or None for row in self.interests]
        tags = [list(_TAGS[row]) for row in self.tags]
        users, items = pa.array(user), pa.array(item)
        return pa.table(
            {
                "user_id": pa.array([f"u{i}" for i in range(len(self.age))]).take(users),
                "item_id": items,
                "user_age": pa.array(self.age, from_pandas=True).take(users),
                "user_interests": pa.array(interests, pa.string()).take(users),
                "category": pa.array(_CATEGORIES[self.category]).take(items),
                "tags": pa.array(tags, pa.list_(pa.string())).take(items),
                "price": pa.array(self.price, from_pandas=True).take(items),
                "hour": pa.array(hour),
                "device": pa.array(_DEVICES[device], mask=unknown_device),
            }
        )


def _calibrated(log_odds: Floats) -> Floats:
    """Returns click probabilities whose mean is the click rate, by bisection of the bias."""
    low, high = -20.0, 20.0
    for _ in range(60):
        bias = (low + high) / 2
        probability: Floats = 1 / (1 + np.exp(-(log_odds + bias)))
        low, high = (low, bias) if probability.mean() > _CLICK_RATE else (bias, high)
    return probability


def _auc(score: Floats, label: npt.NDArray[np.int8]) -> float:
    """Returns the area under the ROC curve by the rank sum; ties count half.

    The formula is that of Hanley and McNeil (1982).
    """
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = int(label.sum())
    negatives = len(label) - positives
    rank_sum = float(rank[label == 1].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def _write(table: pa.Table, directory: Path, files: int) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for i in range(files):
        begin, end = (k * len(table) // files for k in (i, i + 1))
        path = directory / f"part-{i:05d}.parquet"
        pq.write_table(table.slice(begin, end - begin), path, row_group_size=_ROW_GROUP)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="raymon.data.synthetic", description=__doc__)
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    done = directory / "summary.json"
    if done.exists():
        summary = SyntheticSummary(**json.loads(done.read_text()))
    else:
        summary = generate(directory)
    print(
        f"{directory}: {summary.train_rows} rows to train on, {summary.eval_rows} to evaluate on, "
        f"click rate {summary.click_rate:.4f}"
    )
    print(f"best possible AUC {summary.best_auc:.4f}")
    print(f"AUC of item popularity alone {summary.popularity_auc:.4f}")


if __name__ == "__main__":
    main()
