from pathlib import Path
from xml.etree import ElementTree

from raymon.runs import Run, summary_html
from tests.board.terminal.made_runs import make_run, window

HOSTILE = "<script>alert(1)</script>"


def test_a_run_in_a_notebook_is_a_table_and_its_curves(tmp_path: Path) -> None:
    path = make_run(
        tmp_path / "run",
        [window(step, metrics={"auc": step / 100}) for step in (10, 20, 30)],
        scores=[{"global_step": 30, "auc": 0.4, "grouped_auc": 0.5}],
        summary={"steps": 30, "total_steps": 1000, "eval_metrics": {"auc": 0.4, "xauc": None}},
    )
    html = Run(path)._repr_html_()
    root = ElementTree.fromstring(f"<div>{html}</div>")
    rows = {row[0].text: row[1].text for row in root.iter("tr")}
    assert rows["status"] == "done"
    assert rows["run"] == str(path)
    assert rows["steps"] == "30 of 1,000"
    assert rows["eval"] == "auc 0.40000  xauc -"
    svgs = [each.get("aria-label") for each in root.iter() if each.tag.endswith("svg")]
    assert svgs == ["total_loss", "auc", "grouped_auc"]


def test_what_a_run_says_is_text(tmp_path: Path) -> None:
    path = make_run(
        tmp_path / "<b>run",
        [window(10, losses={"total_loss": 1.0}, metrics={HOSTILE: 0.5})],
        summary={"error": HOSTILE, "verdict": HOSTILE, "eval_metrics": {HOSTILE: 1.0}},
    )
    html = Run(path)._repr_html_()
    assert "<script" not in html
    assert "<b>" not in html
    text = "".join(ElementTree.fromstring(f"<div>{html}</div>").itertext())
    assert text.count(HOSTILE) >= 4


def test_a_summary_without_anything_is_an_empty_table() -> None:
    assert summary_html({"eval_metrics": None, "steps": None, "samples_per_second": "fast"}) == (
        "<table></table>"
    )


def test_what_is_no_number_has_none_in_a_notebook(tmp_path: Path) -> None:
    path = make_run(
        tmp_path / "run", [], summary={"eval_metrics": {"auc": "x", "b": [1], "c": 0.5}}
    )
    assert "auc -  b -  c 0.5" in Run(path)._repr_html_()
