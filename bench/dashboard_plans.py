"""What the plans of dashboard queries read, from PostgreSQL's EXPLAIN (ANALYZE, BUFFERS). Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

Plan = Mapping[str, Any]
"""A plan as `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)` gives it."""
_LARGE = 1_000
_NAMED = 4


class PlanFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`pages`: pages of 8 KiB, from the buffers or the disk; `spilled`: pages of temporary files; `whole`: tables of
    which 1,000 rows or more were read from end to end, with these rows; `indexes`: the indexes, most pages first."""

    pages: int
    spilled: int
    whole: Mapping[str, int]
    indexes: tuple[str, ...]


def facts_of(explained: Plan) -> PlanFacts:
    """The facts of one query."""
    root = explained["Plan"]
    whole: dict[str, int] = {}
    indexes: dict[str, int] = {}
    for node in _nodes(root):
        if "Index Name" in node:
            indexes[node["Index Name"]] = indexes.get(node["Index Name"], 0) + _pages(node)
        elif node["Node Type"] == "Seq Scan":
            # Rows are a mean of the loops; parallel workers share the table.
            read = round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
            if read >= _LARGE:
                whole[node["Relation Name"]] = max(read, whole.get(node["Relation Name"], 0))
    return PlanFacts(
        pages=_pages(root),
        spilled=root.get("Temp Written Blocks", 0),
        whole=whole,
        indexes=tuple(sorted(indexes, key=lambda name: (-indexes[name], name))),
    )


def plan_table(found: Mapping[str, PlanFacts]) -> str:
    """A row for every query in Markdown."""
    lines = ["| query | pages | spilled | read from end to end (rows) | through the indexes |"]
    lines.append("|---|---:|---:|---|---|")
    for name, facts in found.items():
        whole = [f"{table} {rows:,}" for table, rows in sorted(facts.whole.items(), key=lambda each: -each[1])]
        cells = [
            name,
            f"{facts.pages:,}",
            f"{facts.spilled:,}",
            _listed(whole),
            _listed(facts.indexes),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = len(found) - _NAMED
    return ", ".join(found[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _pages(node: Plan) -> int:
    return int(node.get("Shared Hit Blocks", 0)) + int(node.get("Shared Read Blocks", 0))


def _nodes(plan: Plan) -> Iterator[Plan]:
    """The nodes that ran."""
    if plan.get("Actual Loops", 0):
        yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
