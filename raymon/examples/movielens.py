"""MovieLens-1M as rows to train on, each with what its user liked before.

`python -m raymon.examples.movielens ml-1m DIR` reads the unpacked archive (ratings.dat, users.dat,
movies.dat; https://grouplens.org/datasets/movielens/1m/) and writes DIR/train and DIR/test. The
last fifth of the ratings of each user is in test. `liked` is whether the user gave 4 stars or more.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

HISTORY = 50
"""Largest number of movies in a history, the most recent ones."""

_LIKED = 4
_TEST = 5
_ROW_GROUP = 20_000
_COLUMNS = {
    "ratings.dat": ("user_id", "movie_id", "rating", "time"),
    "users.dat": ("user_id", "gender", "age", "occupation", "zip"),
    "movies.dat": ("movie_id", "title", "genres"),
}


def read_table(path: Path) -> dict[str, npt.NDArray[np.str_]]:
    """Returns the columns of a file of the archive, as strings by name.

    Raises:
        ValueError: A line has another number of values.
    """
    names = _COLUMNS[path.name]
    rows = [line.split("::") for line in path.read_text(encoding="latin-1").splitlines()]
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise ValueError(f"{path}:{number}: has {len(row)} values; a line has {len(names)}")
    return {name: np.array([row[i] for row in rows]) for i, name in enumerate(names)}


def make_rows(archive: Path) -> tuple[pa.Table, pa.Table]:
    """Returns the rows to train on, in the order of time, and those to test on.

    Args:
        archive: Directory of the unpacked archive.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file has other columns.
    """
    ratings, users, movies = (read_table(archive / name) for name in _COLUMNS)
    user, movie, stars, time = (ratings[name].astype(np.int64) for name in _COLUMNS["ratings.dat"])
    order = np.lexsort((movie, time, user))
    user, movie, stars, time = user[order], movie[order], stars[order], time[order]
    genres = dict(zip(movies["movie_id"].astype(int).tolist(), movies["genres"], strict=True))
    years = dict(
        zip(movies["movie_id"].astype(int).tolist(), map(_year, movies["title"]), strict=True)
    )
    place = {one: index for index, one in enumerate(users["user_id"].astype(int).tolist())}
    of_user = np.array([place[one] for one in user.tolist()])
    histories, is_test = _histories(user, movie, stars)
    table = pa.table(
        {
            "user_id": user,
            "gender": users["gender"][of_user],
            "age": users["age"][of_user].astype(np.int64),
            "occupation": users["occupation"][of_user].astype(np.int64),
            "movie_id": movie,
            "genres": [genres[one] for one in movie.tolist()],
            "year": [years[one] for one in movie.tolist()],
            "time": time,
            "rating": stars,
            "liked": (stars >= _LIKED).astype(np.int8),
            "history__movie_id": pa.array(histories, pa.list_(pa.int64())),
            # The values of one position are joined, as those of `genres` are.
            "history__genres": pa.array(
                [[genres[one] for one in history] for history in histories],
                pa.list_(pa.string()),
            ),
        }
    )
    in_time = np.argsort(time, kind="stable")
    train, test = in_time[~is_test[in_time]], in_time[is_test[in_time]]
    return table.take(pa.array(train)), table.take(pa.array(test))


def _year(title: str) -> int:
    # "Toy Story (1995)"
    return int(title[-5:-1]) if title[-5:-1].isdecimal() else 0


def _histories(
    user: npt.NDArray[np.int64], movie: npt.NDArray[np.int64], stars: npt.NDArray[np.int64]
) -> tuple[list[list[int]], npt.NDArray[np.bool_]]:
    """Returns what each user liked before each rating, and which ratings are the last of a user."""
    histories: list[list[int]] = []
    is_test = np.zeros(len(user), np.bool_)
    starts = np.flatnonzero(np.diff(user, prepend=-1)).tolist()
    for begin, end in pairwise([*starts, len(user)]):
        is_test[end - (end - begin) // _TEST : end] = True
        liked: list[int] = []
        for one, given in zip(movie[begin:end].tolist(), stars[begin:end].tolist(), strict=True):
            histories.append(liked[-HISTORY:])
            if given >= _LIKED:
                liked.append(one)
    return histories, is_test


def main() -> int:
    """Runs the command line; returns its exit code."""
    parser = argparse.ArgumentParser(prog="raymon.examples.movielens", description=__doc__)
    parser.add_argument("archive", type=Path, help="directory of the unpacked ml-1m.zip")
    parser.add_argument("directory", type=Path, help="directory to write train and test into")
    given = parser.parse_args()
    try:
        tables = dict(zip(("train", "test"), make_rows(given.archive), strict=True))
        for name, table in tables.items():
            (given.directory / name).mkdir(parents=True, exist_ok=True)
            path = given.directory / name / "part-00000.parquet"
            pq.write_table(table, path, row_group_size=_ROW_GROUP)
    except (OSError, ValueError) as error:
        print(f"raymon.examples.movielens: {error}", file=sys.stderr)
        return 2
    print(f"{given.directory}: {len(tables['train'])} rows in train, {len(tables['test'])} in test")
    return 0


if __name__ == "__main__":
    sys.exit(main())
