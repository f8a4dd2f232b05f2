"""The work of a person as a route: by township, the longest open first."""

from datetime import UTC, datetime

from api.read.response.grouping import by_township
from api.read.response.schemas import WorkItem


def item(number: int, township: str | None, open_age: float, age: float = 9e6, area: str | None = "v1") -> WorkItem:
    return WorkItem(
        id=number, kind="station_offline", severity="warning", status="open", station="s", name=None, name_en=None,
        address=None, lat=None, lon=None, area=area, township=township, began_at=datetime(2026, 11, 27, tzinfo=UTC),
        age_s=age, open_age_s=open_age, acknowledged_by=None, eta_at=None, overdue=False, assignee=None,
        stations_down=0, detail={}, why=["duty"], openings=[],
    )  # fmt: skip


def test_groups_and_their_incidents_come_by_open_time() -> None:
    found = by_township(
        [item(1, "north", 60), item(2, "south", 3600), item(3, "north", 7200), item(4, None, 10, area="county"),
         item(5, None, 0, area=None)]
    )  # fmt: skip
    assert [(group.area, [one.id for one in group.items]) for group in found] == [
        ("north", [3, 1]), ("south", [2]), ("county", [4]), (None, [5]),
    ]  # fmt: skip


def test_of_the_same_open_time_the_older_comes_first() -> None:
    """At night nothing was open yet."""
    (group,) = by_township([item(1, "t", 0, 60), item(2, "t", 0, 7200), item(3, "t", 0, 7200)])
    assert [one.id for one in group.items] == [2, 3, 1]


def test_no_work_has_no_groups() -> None:
    assert by_township([]) == []
