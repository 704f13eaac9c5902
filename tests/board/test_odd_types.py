"""Files of a run in which every field has another type than it should."""

import json
from pathlib import Path
from typing import Any

import pytest

from raymon.board.terminal import frame_json, frame_text
from raymon.board.web.answers.contents import tables
from raymon.board.web.answers.detail import detail
from raymon.board.web.answers.evaluations import evaluations
from raymon.board.web.answers.rank_table import rank_table
from raymon.board.web.query import Query
from raymon.runs import Run, overview_of
from raymon.storage import to_json
from tests.board.terminal.made_runs import make_run, window

FIELDS = {
    "run.json": (
        "status start end updated steps total_steps workers restarts attempts parameters devices "
        "embedding_tables alerts train_metrics eval_metrics best_metrics best_checkpoint error "
        "diverged_since samples_per_second train_metric_bounds window_metrics version verdict"
    ),
    "monitor/live.json": (
        "time ranks step total_steps eta_s samples_per_second losses metrics alerts stalled_s "
        "world_size coverage"
    ),
    "monitor/evaluations.jsonl": (
        "global_step time metrics metric_bounds no_value metric_details curves groups"
    ),
}


@pytest.mark.parametrize("status", [None, "running"])
@pytest.mark.parametrize(
    "value", [7, "text", [1, "a", None], {"a": {"b": [1]}}, True, None, -1e308]
)
def test_whatever_a_field_is_all_that_shows_a_run_shows_it(
    tmp_path: Path, value: Any, status: str | None
) -> None:
    path = make_run(tmp_path / "run", [window(step) for step in (10, 20)])
    for name, fields in FIELDS.items():
        (path / name).write_text(json.dumps(dict.fromkeys(fields.split(), value)) + "\n")
    if status is not None:
        summary = json.loads((path / "run.json").read_text())
        (path / "run.json").write_text(json.dumps({**summary, "status": status, "updated": 4e9}))
    run = Run(path)
    assert frame_text(run)
    for answer in (
        frame_json(run),
        detail(run, run.verdict()),
        tables(run, Query({})),
        evaluations(run, Query({})),
        rank_table(run, run.verdict()),
        overview_of(run).to_json(),
    ):
        assert to_json(answer)
