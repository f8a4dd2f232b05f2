"""What an import of routes would change. Pure.

A row that says `remove` removes the route of its id; what is not in the file stays.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from contract.said import Said
from registry.importing.diff import Plan, checked, compare, no_area
from registry.importing.layout import BadCell
from registry.importing.rows import Row, Rows
from registry.routes.checks import NO_DEFAULT_ROUTE, has_default_route
from registry.routes.model import Route
from registry.routes.people import level_names


def plan_routes(rows: Rows, stored: Mapping[str, Route], areas: Collection[str]) -> Plan[Route]:
    """Compare the rows with the stored routes; `areas`: those of the file that there are."""
    removing = {row.key for row in rows.good if row.values.get("remove")}
    kept = msgspec.structs.replace(rows, good=[row for row in rows.good if row.key not in removing])
    good, bad = checked(kept, lambda row: _route_of(row, stored.get(row.key), areas))
    removed = [stored[key] for key in sorted(removing) if key in stored]
    return msgspec.structs.replace(compare(good, stored, bad, []), removed=removed)


def route_notes(plan: Plan[Route], stored: Mapping[str, Route], levels: Collection[str]) -> list[Said]:
    """What else the person should know: levels that no area has, and that no route takes everything."""
    return [*_unknown_levels(plan, levels), *_no_default(plan, stored)]


def _unknown_levels(plan: Plan[Route], levels: Collection[str]) -> Iterator[Said]:
    for route in plan.writes:
        for step in route.steps:
            if step.level is not None and level_names(step.level).isdisjoint(levels):
                yield Said(
                    f'route {route.id}: no area has the level {step.level}, so its step "{step}" reaches nobody. '
                    f"The areas have the levels {', '.join(sorted(levels)) or '(none)'}.",
                    f"路由 {route.id}：没有级别为 {step.level} 的区划，步骤“{step}”通知不到任何人。"
                    f"现有级别：{'、'.join(sorted(levels)) or '（无）'}。",
                )


def _no_default(plan: Plan[Route], stored: Mapping[str, Route]) -> list[Said]:
    gone = {route.id for route in plan.removed}
    after = {**stored, **{route.id: route for route in plan.writes}}
    left = [route for name, route in after.items() if name not in gone]
    return [] if has_default_route(left) else [NO_DEFAULT_ROUTE]


def _route_of(row: Row, stored: Route | None, areas: Collection[str]) -> Route | BadCell:
    values = {name: value for name, value in row.values.items() if name != "remove"}
    route = msgspec.structs.replace(stored, **values) if stored else Route(**values)
    if route.area is not None and route.area not in areas:
        return BadCell(row.line, "area", no_area(route.area))
    return route
