"""The comparison of runs as aligned columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from raymon.cli.cells import Column, aligned, plain, shortened
from raymon.number_text import NO_VALUE, count_text, number_text

if TYPE_CHECKING:
    from raymon.runs import Comparison, Score, ScoreDifference, ScoreRow

_LONGEST_VALUE = 24
_WIDE, _TITLE, _NARROW_TITLE, _LONGEST_NAME = 100, 18, 8, 26
_KINDS = {
    "eval:metrics.": "eval ",
    "best:metrics.": "best ",
    "losses.": "train ",
    "metrics.": "train ",
}


def comparison_lines(
    found: Comparison, names: Sequence[str], width: int | None, everything: bool
) -> list[str]:
    """Returns the lines of a comparison.

    Args:
        found: The comparison.
        names: Names of the runs, as they were given.
        width: Columns of the terminal; None for no limit. Runs that do not fit beside each other
            come below, again beside the first.
        everything: Whether scores are shown that only a closer look needs.
    """
    is_narrow = width is not None and width < _WIDE
    titles = _titles(names, _NARROW_TITLE if is_narrow else _TITLE)
    rows = [row for row in found.rows if everything or _is_main(row, found.rows)]
    lines: list[str] = []
    if found.fields:
        lines += _blocks(titles, width, lambda runs: _config(found, titles, runs, width))
    else:
        lines.append("the configs are the same")
    if rows:
        lines += ["", *_blocks(titles, width, lambda runs: _scores(rows, titles, runs, width))]
        lines += ["", *_legend(found, rows)]
    return lines


def _is_main(row: ScoreRow, rows: Sequence[ScoreRow]) -> bool:
    if row.name.startswith("best:"):
        # Where the best model is the last one, it says nothing new.
        last = next((r for r in rows if r.name == row.name.replace("best:", "eval:", 1)), None)
        return last is None or _values(last) != _values(row)
    return row.name.startswith("eval:") or row.name in ("losses.total_loss", "samples_per_second")


def _values(row: ScoreRow) -> list[float | None]:
    return [None if score is None else score.value for score in row.scores]


def _titles(names: Sequence[str], longest: int) -> list[str]:
    """Returns a letter and a short name for each run."""
    short = [plain(name.rstrip("/").rpartition("/")[2] or name) for name in names]
    if len(set(short)) < len(short):
        short = [plain(name) for name in names]
    letters = [chr(ord("A") + i) if len(names) <= 26 else str(i + 1) for i in range(len(names))]
    return [
        f"{letter} {shortened(name, longest)}" for letter, name in zip(letters, short, strict=True)
    ]


def _blocks(
    titles: Sequence[str], width: int | None, table: Callable[[Sequence[int]], list[str]]
) -> Iterator[str]:
    """Yields tables of as many runs beside the first as fit."""
    begin = 1
    while begin < len(titles):
        end = begin + 1
        while end < len(titles):
            lines = table([0, *range(begin, end + 1)])
            if width is not None and max(map(len, lines)) > width:
                break
            end += 1
        if begin > 1:
            yield ""
        yield from table([0, *range(begin, end)])
        begin = end


def _config(
    found: Comparison, titles: Sequence[str], runs: Sequence[int], width: int | None
) -> list[str]:
    longest = _LONGEST_VALUE if width is not None else 1000
    values = [
        Column(
            titles[run],
            [shortened(_value(each.values[run]), longest) for each in found.fields],
            left=True,
        )
        for run in runs
    ]
    paths = [plain(each.field) for each in found.fields]
    if width is not None:
        left = max(24, width - sum(column.width + 2 for column in values))
        paths = [shortened(path, left) for path in paths]
    return aligned([Column("config", paths, left=True), *values])


def _scores(
    rows: Sequence[ScoreRow], titles: Sequence[str], runs: Sequence[int], width: int | None
) -> list[str]:
    longest = _LONGEST_NAME if width is not None and width < _WIDE else 1000
    columns = [Column("score", [shortened(_name(row.name), longest) for row in rows], left=True)]
    for run in runs:
        columns.append(Column(titles[run], [_score(row, row.scores[run]) for row in rows]))
        if run > 0:
            letter = titles[run].partition(" ")[0]
            found = [row.differences[run] for row in rows]
            columns.append(
                Column(
                    f"{letter} - {titles[0].partition(' ')[0]}",
                    [_difference(row, each) for row, each in zip(rows, found, strict=True)],
                )
            )
            columns.append(
                Column(
                    "",
                    [_uncertainty(row, each) for row, each in zip(rows, found, strict=True)],
                    left=True,
                )
            )
    return aligned(columns)


def _legend(found: Comparison, rows: Sequence[ScoreRow]) -> Iterator[str]:
    known = [each for row in rows for each in row.differences if each is not None]
    if any(each.uncertainty is not None for each in known):
        yield "±: two standard errors for other rows from the same source, plus the bounds of both"
        yield "numbers; * where a difference is larger. What another seed would give is not in it."
    if any(not row.name.startswith(("eval:", "best:", "metrics.")) for row in rows):
        yield "Losses of the training, and samples/s, are means of the last 20 windows."
    if found.same_data and any(each.uncertainty is not None for each in known):
        yield "Evaluated on the same files, so the errors of evaluations are upper estimates."
    if found.same_data is False:
        yield "Evaluated on different files: the scores are not of the same rows."


def _value(value: str | None) -> str:
    return NO_VALUE if value is None else plain(value)


def _name(name: str) -> str:
    for prefix, text in _KINDS.items():
        if name.startswith(prefix):
            return plain(text + name.removeprefix(prefix))
    return plain(name.replace("_per_second", "/s"))


def _score(row: ScoreRow, score: Score | None) -> str:
    return NO_VALUE if score is None else _text(row, score.value)


def _difference(row: ScoreRow, found: ScoreDifference | None) -> str:
    if found is None:
        return NO_VALUE
    sign = "-" if found.difference < 0 else "+"
    return f"{sign}{_text(row, abs(found.difference))}"


def _uncertainty(row: ScoreRow, found: ScoreDifference | None) -> str:
    if found is None or found.uncertainty is None:
        return ""
    is_rate = row.name == "samples_per_second"
    text = count_text(found.uncertainty) if is_rate else f"{found.uncertainty:.2g}"
    return f"±{text}" + (" *" if found.clear else "")


def _text(row: ScoreRow, value: float) -> str:
    return count_text(value) if row.name == "samples_per_second" else number_text(value)
