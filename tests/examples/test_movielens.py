"""Rows of MovieLens know of a user what was known before, and nothing later."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from raymon.examples.movielens import make_rows

USERS, MOVIES = 5, 30


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ml-1m")
    rng = random.Random(3)
    ratings = [
        f"{user}::{movie}::{rng.randint(1, 5)}::{time}"
        for user in range(1, USERS + 1)
        for movie, time in zip(
            rng.sample(range(1, MOVIES + 1), 20), rng.sample(range(1000, 2000), 20), strict=True
        )
    ]
    (folder / "ratings.dat").write_text("\n".join(ratings) + "\n")
    users = [f"{user}::F::25::{user}::02460" for user in range(1, USERS + 1)]
    (folder / "users.dat").write_text("\n".join(users) + "\n")
    movies = [
        f"{movie}::Café {movie} (19{60 + movie})::Drama|War" for movie in range(1, MOVIES + 1)
    ]
    (folder / "movies.dat").write_text("\n".join(movies) + "\n", encoding="latin-1")
    return folder


def test_a_history_is_what_the_user_liked_before(archive: Path) -> None:
    ratings = [
        tuple(map(int, line.split("::")))
        for line in (archive / "ratings.dat").read_text().splitlines()
    ]
    train, test = make_rows(archive)
    rows = [*train.to_pylist(), *test.to_pylist()]
    assert len(rows) == len(ratings)
    for row in rows:
        before = sorted(
            (time, movie)
            for user, movie, stars, time in ratings
            if user == row["user_id"] and stars >= 4 and time < row["time"]
        )
        assert row["history__movie_id"] == [movie for _, movie in before]
        assert row["history__genres"] == ["Drama|War"] * len(before)
        assert row["liked"] == (row["rating"] >= 4)
        assert row["year"] == 1960 + row["movie_id"]


def test_the_last_fifth_of_each_user_is_tested_on(archive: Path) -> None:
    train, test = make_rows(archive)
    assert train["time"].to_pylist() == sorted(train["time"].to_pylist())
    last = {row["user_id"]: row["time"] for row in train.to_pylist()}
    tested = [row["user_id"] for row in test.to_pylist()]
    assert sorted(tested) == sorted([*range(1, USERS + 1)] * 4)
    assert all(row["time"] > last[row["user_id"]] for row in test.to_pylist())


@pytest.mark.parametrize("line", ["1::2::3", None])
def test_an_archive_that_is_none_is_told_in_one_line(
    archive: Path, tmp_path: Path, line: str | None
) -> None:
    for name in ("users.dat", "movies.dat"):
        (tmp_path / name).write_bytes((archive / name).read_bytes())
    if line is not None:
        (tmp_path / "ratings.dat").write_text(f"1::2::3::4\n{line}\n")
    command = [sys.executable, "-m", "raymon.examples.movielens", tmp_path, tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "ratings.dat" + (":2: has 3 values" if line else "") in done.stderr
    assert not (tmp_path / "out").exists()
