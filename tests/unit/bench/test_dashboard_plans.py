"""What is read out of a plan."""

from bench.dashboard_plans import facts_of, plan_table

EXPLAINED = {
    "Plan": {
        "Node Type": "Hash Join", "Actual Loops": 1, "Actual Rows": 5.0, "Shared Hit Blocks": 90,
        "Shared Read Blocks": 10, "Temp Written Blocks": 7,
        "Plans": [
            {"Node Type": "Seq Scan", "Relation Name": "station", "Actual Loops": 3, "Actual Rows": 400.0,
             "Rows Removed by Filter": 100, "Shared Hit Blocks": 60},
            {"Node Type": "Seq Scan", "Relation Name": "area", "Actual Loops": 1, "Actual Rows": 31.0},
            {"Node Type": "Index Scan", "Index Name": "area_pkey", "Actual Loops": 5, "Actual Rows": 1.0,
             "Shared Hit Blocks": 10},
            {"Node Type": "Index Scan", "Index Name": "incident_open_area", "Actual Loops": 1, "Actual Rows": 9.0,
             "Shared Hit Blocks": 20, "Shared Read Blocks": 10},
            {"Node Type": "Seq Scan", "Relation Name": "transition", "Actual Loops": 0, "Actual Rows": 0.0},
        ],
    }
}  # fmt: skip


def test_large_tables_that_are_read_whole_and_indexes_are_named() -> None:
    """The parts of a parallel scan are one table, a small table does not count, nor what did not run."""
    facts = facts_of(EXPLAINED)
    assert (facts.pages, facts.spilled, facts.whole) == (100, 7, {"station": 1500})
    assert facts.indexes == ("incident_open_area", "area_pkey")
    assert plan_table({"a: b": facts}).splitlines()[-1] == (
        "| a: b | 100 | 7 | station 1,500 | incident_open_area, area_pkey |"
    )
