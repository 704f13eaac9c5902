from __future__ import annotations

from raymon.embeddings import StateNumbers, TablePlan, TableShape, plan_lines, replicated_plan

ADAGRAD = StateNumbers(per_number=1)


def test_every_rank_holds_replicated_tables_whole() -> None:
    (plan,) = replicated_plan([TableShape("t", 1000, 16, "FP16")], ADAGRAD, 3)
    expected = TablePlan("t", 1000, 16, "FP16", "replicated", "torch", (0, 1, 2), 1000 * 16 * 6)
    assert plan == expected
    assert plan.to_json()["ranks"] == [0, 1, 2]


def test_a_sharded_table_takes_the_bytes_of_its_largest_part() -> None:
    parts = {2: [(600, 16)], 0: [(400, 16)]}
    plan = TablePlan.of(TableShape("t", 1000, 16), ADAGRAD, parts, "row_wise", "fused")
    assert plan == TablePlan("t", 1000, 16, "FP32", "row_wise", "fused", (0, 2), 600 * 16 * 8)


def test_the_largest_tables_are_shown_with_a_sum() -> None:
    shapes = [TableShape(f"t{n}", n * 1000, 16) for n in range(1, 13)]
    plans = replicated_plan(shapes, ADAGRAD, 2)
    lines = plan_lines(plans, 2)
    assert len(lines) == 12
    assert lines[0].split() == [
        "table",
        "rows",
        "dim",
        "type",
        "sharding",
        "kernel",
        "ranks",
        "a",
        "rank",
    ]
    assert lines[1].split() == [
        "t12",
        "12,000",
        "16",
        "FP32",
        "replicated",
        "torch",
        "all",
        "1.54",
        "MB",
    ]
    assert lines[-1] == (
        "12 tables, 2 not shown  78,000" + " " * (lines[1].index("1.54 MB") - 30) + "9.98 MB"
    )
    sharded = TablePlan("t", 10, 4, "FP32", "table_wise", "fused", (1,), 320)
    assert plan_lines([sharded], 2)[1].split() == [
        "t",
        "10",
        "4",
        "FP32",
        "table_wise",
        "fused",
        "1",
        "320",
        "bytes",
    ]


def test_of_many_ranks_a_few_are_shown() -> None:
    plan = TablePlan("t", 10, 4, "FP32", "row_wise", "fused", tuple(range(7)), 320)
    assert "0,1,2,3,... (7)" in plan_lines([plan], 8)[1]
