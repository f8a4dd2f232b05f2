"""The work of a person in the order of a route: by township, the longest open first. Pure."""

from collections.abc import Iterable

from api.read.response.schemas import WorkGroup, WorkItem


def by_township(items: Iterable[WorkItem]) -> list[WorkGroup]:
    """The work grouped by township, or by area for incidents outside of townships.

    Within a group, and among the groups, the incident with the longest open time comes first; if open times are equal,
    the incident with the longest wall time.
    """
    groups: dict[str | None, list[WorkItem]] = {}
    for item in sorted(items, key=_urgency):
        groups.setdefault(item.township or item.area, []).append(item)
    return [WorkGroup(area=area, items=found) for area, found in groups.items()]


def _urgency(item: WorkItem) -> tuple[float, float, int]:
    return (-item.open_age_s, -item.age_s, item.id)
