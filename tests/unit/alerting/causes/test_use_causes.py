"""What speaks for and against a cause of stations that became of no use: their own word."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.causes.evidence import weigh
from alerting.causes.steps import Joined, Opened, Step
from alerting.causes.use_causes import UseCauses, peer_use, use_fall_of
from alerting.incidents.book import Book, Incident
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import RuleSettings, StationNews
from alerting.station_incidents.timers import StationWatch
from alerting.station_incidents.write import write_intents
from alerting.stations.common_interval import CommonInterval
from alerting.stations.model import Facts, Judged, StationChange
from alerting.stations.snapshot import PassTime, Standing
from alerting.stations.table import Field

T0 = datetime(2026, 11, 23, 8, tzinfo=UTC)
COUNTY, OTHER = "632122000000", "632123000000"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def incident(began: float, **detail: object) -> Incident:
    return Incident(
        id=1, kind="unusable", key="unusable:s", status="open", station="s", began_at=at(began),
        opened_at=at(began + 300), detail=detail,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "one", "every", "expected"),
    [
        ("it said so by itself", incident(1000), 60, (700, 1000)),
        ("a slow one may have been so for two heartbeats", incident(10_000), 3600, (2800, 10_000)),
        ("it was so before it opened", incident(5000, unusable_since=at(1000).isoformat()), 60, (700, 5000)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_when_it_became_so(name: str, one: Incident, every: float, expected: tuple[float, float]) -> None:
    fallen = use_fall_of(one, (), every)
    assert (fallen.began, fallen.until) == tuple(map(at, expected)), name


@pytest.mark.parametrize(
    ("name", "standing", "fallen", "against"),
    [
        ("one that is about to have an incident speaks for it", {"usable": False, "unusable_since": at(1010)}, 1, 0),
        ("one that became so an hour ago", {"usable": False, "unusable_since": at(-3600)}, 0, 0),
        ("one of use speaks against it", {"usable": True}, 0, 1),
        ("one that says nothing says nothing", {"usable": None}, 0, 0),
    ],
)
def test_what_others_say(name: str, standing: dict[str, object], fallen: int, against: int) -> None:
    peer = peer_use(Standing(station="p", state="online", **standing), (), 60, at(1300))  # type: ignore[arg-type]
    found = weigh(CommonInterval(at(900), at(1000)), (), [peer], 1)
    assert (found.fallen, found.against) == (fallen, against), name


class Process:
    """The station rules and what asks for causes, over twenty stations in each of two counties."""

    def __init__(self) -> None:
        self.field = Field(T0, {})
        for county in (COUNTY, OTHER):
            for number in range(20):
                facts = Facts(station=f"{county[:6]}{number:02d}", area=county, path=("630000000000", county))
                judged = Judged(partition=0, state="online", since=T0, usable=True, shard="main")
                self.field.restore_station(facts, judged)
        self.field.take_changes()
        self.watch = StationWatch(self.field, RuleSettings())
        self.watch.reconcile([])
        self.use = UseCauses(self.field, CauseSettings())
        self._seq = 0

    def pass_at(self, seconds: float, *says: tuple[str, bool]) -> list[Step]:
        """What a pass decides; `says`: who says then whether visitors can use it."""
        changes = [self._change(station, usable, seconds) for station, usable in says]
        moment = PassTime(now=at(seconds), known=at(seconds))
        book = Book()
        followed = write_intents(book, self.watch.follow(changes, moment), moment.now)
        return list(self.use.decide(StationNews(intents=followed), moment))

    def _change(self, station: str, usable: bool, seconds: float) -> StationChange:
        self._seq += 1
        return StationChange(
            partition=0, seq=self._seq, station=station, before="online", after="online", usable=usable,
            at=at(seconds), tick_at=at(seconds), shard="main", reason="usable",
        )  # fmt: skip


def members(county: str, count: int) -> list[str]:
    return [f"{county[:6]}{number:02d}" for number in range(count)]


def test_the_first_that_is_due_opens_the_cause_of_all() -> None:
    process = Process()
    process.pass_at(1000, *((station, False) for station in members(COUNTY, 1)))
    process.pass_at(1030, *((station, False) for station in members(COUNTY, 20)[1:]))
    plan = process.pass_at(1300)
    (opened,) = [step for step in plan if isinstance(step, Opened)]
    assert (opened.key, opened.children, opened.expected) == (f"unusable:area:{COUNTY}", 1, 20)
    plan = process.pass_at(1331)
    assert len([step for step in plan if isinstance(step, Joined)]) == 19


def test_few_of_many_have_no_cause_in_common() -> None:
    process = Process()
    process.pass_at(1000, *((station, False) for station in members(COUNTY, 8)))
    plan = process.pass_at(1300)
    assert not [step for step in plan if isinstance(step, Opened | Joined)], "twelve of the county are of use"
