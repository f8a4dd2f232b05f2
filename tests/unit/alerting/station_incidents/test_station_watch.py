"""Stations over their days: what becomes an incident, when, and when it is over."""

from datetime import datetime

import pytest

from alerting.incidents.book import Incident
from alerting.stations.model import StationChange
from tests.shelving import closed_by_hand
from tests.unit.alerting.field_kit import ZONE, World, at, change, closure, facts, judged

ONLINE, OFFLINE, AWAY = "online", "offline", "away"


def world(clock: str = "08:00", state: str | None = OFFLINE, since: str = "18:00", **given: object) -> World:
    """Station A, that stands so since yesterday evening, in the morning."""
    known = None if state is None else judged(state, at(since, -1))
    return World(at(clock), [(facts(**given), known)])


def fell(since: str, decided: str, **given: object) -> StationChange:
    return change("A", ONLINE, OFFLINE, at(since), at(decided), **given)


def back(clock: str, before: str = OFFLINE, day: int = 0) -> StationChange:
    return change("A", before, ONLINE, at(clock, day))


DOWN = "station_offline"
OVERDUE = "overdue_return"
UNSEEN = "never_seen"
UNUSABLE = "unusable"


@pytest.mark.parametrize(
    ("name", "start", "timetable", "told"),
    [
        (
            "a station falls while it is open: at once",
            world(state=ONLINE),
            [("10:00:40", fell("10:00:00", "10:00:40"))],
            [(DOWN, "opened", "Mon 10:00:40")],
        ),
        (
            "and comes back: the page is taken back",
            world(state=ONLINE),
            [("10:01", fell("10:00", "10:01")), ("10:20", back("10:20"))],
            [(DOWN, "opened", "Mon 10:01:00"), (DOWN, "closed", "Mon 10:20:00")],
        ),
        (
            "it is switched off in the evening and on in the morning: nothing",
            world(state=ONLINE),
            [("17:45", fell("17:35", "17:45")), ("08:50+1", back("08:50", day=1)), ("12:00+1", None)],
            [],
        ),
        (
            "it is switched off shortly before it closes: nothing",
            world(state=ONLINE),
            [("17:33", fell("17:28", "17:33")), ("08:50+1", back("08:50", day=1)), ("12:00+1", None)],
            [],
        ),
        (
            "it is down when it opens: after the grace, begun with the opening",
            world(),
            [("11:00", None)],
            [(DOWN, "opened", "Mon 09:15:00")],
        ),
        (
            "it comes up within the grace",
            world(),
            [("09:14:50", back("09:14:50")), ("11:00", None)],
            [],
        ),
        (
            "it falls again within the grace: at once, it was there",
            world(),
            [("09:05", back("09:05")), ("09:10", fell("09:08", "09:10"))],
            [(DOWN, "opened", "Mon 09:10:00")],
        ),
        (
            "the lunch break is a closing too",
            world(state=ONLINE),
            [("12:10", fell("12:05", "12:10")), ("14:05", back("14:05")), ("16:00", None)],
            [],
        ),
        (
            "an incident lasts over closing time, and closes when the station is back; that is told at the opening",
            world(),
            [("09:30", None), ("22:00", None), ("23:00", back("23:00"))],
            [(DOWN, "opened", "Mon 09:15:00"), (DOWN, "closed", "Tue 09:00:00")],
        ),
        (
            "only its words about itself change while it is offline",
            world(),
            [("09:30", None), ("10:00", change("A", OFFLINE, OFFLINE, at("10:00"), usable=None))],
            [(DOWN, "opened", "Mon 09:15:00")],
        ),
        (
            "away is honoured until the next opening, and a grace",
            world(state=AWAY),
            [("11:00", None)],
            [(OVERDUE, "opened", "Mon 09:15:00")],
        ),
        (
            "away within opening hours is honoured",
            world(state=ONLINE),
            [("09:30", change("A", ONLINE, AWAY, at("09:30"))), ("11:59", None)],
            [],
        ),
        (
            "but not for longer than it said",
            world(state=ONLINE),
            [
                ("09:30", change("A", ONLINE, AWAY, at("09:30"))),
                ("10:00", change("A", AWAY, OFFLINE, at("10:00"), reason="away_overdue")),
            ],
            [(OVERDUE, "opened", "Mon 10:00:00")],
        ),
        (
            "overdue first by the opening and then by its own word is one incident, over when it is heard",
            world(state=AWAY),
            [
                ("10:00", change("A", AWAY, OFFLINE, at("10:00"), reason="away_overdue")),
                ("10:30", back("10:30")),
            ],
            [(OVERDUE, "opened", "Mon 09:15:00"), (OVERDUE, "closed", "Mon 10:30:00")],
        ),
        (
            "it says where it is after all",
            world(),
            [("09:30", None), ("10:00", change("A", OFFLINE, AWAY, at("10:00")))],
            [(DOWN, "opened", "Mon 09:15:00"), (DOWN, "closed", "Mon 10:00:00")],
        ),
        (
            "being built, nobody expects it",
            world(lifecycle="planned"),
            [("12:00", fell("10:00", "10:01"))],
            [],
        ),
    ],
)
def test_a_stations_day(
    name: str, start: World, timetable: list[tuple[str, StationChange | None]], told: list[tuple[str, str, str]]
) -> None:
    for when, news in timetable:
        clock, _, day = when.partition("+")
        now = at(clock, int(day or 0))
        start.until(now) if news is None else start.until(news.tick_at)
        start.step(now, *([news] if news else []))
    assert [entry[1:] for entry in start.told] == told, name


def only(found: World) -> Incident:
    (incident,) = found.incidents.values()
    return incident


@pytest.mark.parametrize(
    ("name", "commissioned_at", "heard", "opened_at", "ended_at"),
    [
        ("never seen a day later, in the evening: at the next opening", at("20:00", -1), None, at("09:15", 1), None),
        ("never seen, within opening hours", at("10:30", -1), None, at("10:30"), None),
        ("never seen until now", at("10:30", -1), at("11:10"), at("10:30"), at("11:10")),
    ],
)
def test_a_station_that_never_worked_is_listed_and_nobody_is_paged(
    name: str, commissioned_at: datetime, heard: datetime | None, opened_at: datetime, ended_at: datetime | None
) -> None:
    found = world(state=None, commissioned_at=commissioned_at)
    if heard is not None:
        found.until(heard)
        found.step(heard, back(f"{heard.astimezone(ZONE):%H:%M}", "never_seen"))
    found.until(at("12:00", 1))
    incident = only(found)
    assert (incident.kind, incident.opened_at, incident.ended_at) == (UNSEEN, opened_at, ended_at), name
    assert incident.is_open == (ended_at is None)
    assert found.told == []


def test_down_at_opening_begins_with_it_and_says_since_when_it_is_so() -> None:
    found = world()
    found.until(at("10:00"))
    incident = only(found)
    assert (incident.began_at, incident.opened_at) == (at("09:00"), at("09:15"))
    assert incident.detail["offline_since"] == at("18:00", -1)


def test_a_closure_silences_and_its_end_is_an_opening() -> None:
    found = world()
    found.field.schedule.set_closures([closure(1, at("07:00"), at("10:00"), area="632122000000")])
    found.field.register(facts(path=("630000000000", "632122000000")))
    found.until(at("12:00"))
    assert found.told == [("A", DOWN, "opened", "Mon 10:15:00")]
    assert only(found).began_at == at("10:00")


def test_only_an_approved_closure_excuses() -> None:
    found = world()
    found.field.schedule.set_closures([closure(1, at("07:00"), at("10:00"), station="A")])
    found.step(at("08:10"))
    standing = found.field.standing("A")
    assert standing is not None
    assert (standing.silenced, standing.excused) == (True, False)
    approved = {"station": "A", "approved_by": "卓玛", "approved_at": at("08:20")}
    found.field.schedule.set_closures([closure(1, at("07:00"), at("10:00"), **approved)])
    found.step(at("08:30"))
    standing = found.field.standing("A")
    assert standing is not None
    assert (standing.silenced, standing.excused) == (True, True)


def test_a_closure_that_is_withdrawn_ends_then() -> None:
    found = world()
    found.field.schedule.set_closures([closure(1, at("07:00"), at("18:00"), station="A")])
    found.until(at("10:30"))
    gone = {"station": "A", "withdrawn_by": "卓玛", "withdrawn_at": at("10:29")}
    found.field.schedule.set_closures([closure(1, at("07:00"), at("18:00"), **gone)])
    found.until(at("12:00"))
    assert found.told == [("A", DOWN, "opened", "Mon 10:44:00")]


def test_what_was_opened_stays_open_in_a_closure() -> None:
    found = world()
    found.until(at("09:30"))
    found.field.schedule.set_closures([closure(1, at("09:40"), at("11:00"), station="A")])
    found.until(at("11:59"))
    assert found.open == ["station_offline:A"]
    assert len(found.told) == 1


@pytest.mark.parametrize("lifecycle", ["suspended", "retired", "planned", None])
def test_leaving_service_closes(lifecycle: str | None) -> None:
    found = world()
    found.until(at("09:30"))
    if lifecycle is None:
        found.field.remove_station("A")
    else:
        found.field.register(facts(lifecycle=lifecycle))
    book = found.step(at("09:40"))
    assert found.open == []
    assert only(found).ended_at == at("09:40")
    assert book.decisions[-1].reason == (lifecycle or "deleted")


def test_a_station_that_goes_into_service_while_it_is_down_does_not_escape() -> None:
    found = world(lifecycle="planned", calendar=None)
    found.until(at("09:30"))
    found.field.register(facts(calendar=None))
    found.step(at("09:31"))
    assert found.open == ["station_offline:A"]
    assert only(found).began_at == at("18:00", -1)


def test_after_a_gap_of_ours_a_station_has_its_grace_again() -> None:
    """The broker stood still while everybody switched on."""
    found = world()
    found.until(at("09:10"))
    found.field.resume((0, "main"), at("09:12"))
    found.until(at("09:26:30"))
    assert found.told == []
    found.until(at("09:40"))
    assert found.told == [("A", DOWN, "opened", "Mon 09:27:00")]


def test_time_alone_makes_no_incident_while_the_clock_says_nothing() -> None:
    found = world()
    found.until(at("09:10"))
    found.step(at("09:30"), untrusted=[(0, "main")])
    assert found.told == []
    found.step(at("09:31"))
    assert [entry[2] for entry in found.told] == ["opened"]


def test_a_grace_that_ended_on_an_unknown_clock_is_looked_at_once_in_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that catches up may be long, and many stations may wait."""
    found, looks = world(), list[str]()
    standing = found.field.standing
    found.until(at("09:10"))
    monkeypatch.setattr(found.field, "standing", lambda station: looks.append(station) or standing(station))
    found.step(at("11:00"), untrusted=[(0, "main")])
    assert looks == ["A"]
    found.step(at("11:00:04"), untrusted=[(0, "main")])
    assert looks == ["A"]
    found.until(at("11:00:06"))
    assert found.told == [("A", DOWN, "opened", "Mon 11:00:06")]


def test_what_a_person_resolved_stays_resolved_while_it_goes_on() -> None:
    found = world()
    found.until(at("09:30"))
    (number,) = found.incidents
    found.incidents[number] = closed_by_hand(found.incidents[number], at("09:40"))
    found.watch.reconcile([("A", "station_offline")])
    found.until(at("16:00", 1))
    assert found.open == []
    found.step(at("16:01", 1), back("16:01", day=1))
    assert [entry[2] for entry in found.told] == ["opened", "closed"], "that it is back is told when it is"
    found.step(at("16:10", 1), change("A", ONLINE, OFFLINE, at("16:08", 1), at("16:10", 1)))
    assert found.open == ["station_offline:A"]


def test_nobody_registered_it() -> None:
    found = world()
    found.step(at("10:00"), change("B", ONLINE, OFFLINE, at("09:58"), at("10:00")))
    assert "station_offline:B" not in found.open


def test_a_tick_of_the_future_moves_nobodys_time() -> None:
    found = world(state=ONLINE)
    found.step(at("08:10"), change("A", ONLINE, OFFLINE, at("08:09"), at("12:00")))
    assert found.field.time == at("08:10")
    assert found.told == []


def test_a_great_many_stations_open_in_several_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerting.station_incidents.timers.BULK", 10)
    found = World(at("08:00"), [(facts(f"S{n}"), judged(OFFLINE, at("18:00", -1))) for n in range(25)])
    goes = 0
    found.step(at("09:00:30"))
    while found.watch.busy:
        goes += 1
        assert found.field.time == at("09:00")
        found.step(at("09:00:30"))
    assert goes >= 2
    found.until(at("09:14:30"))
    assert found.told == []
    found.until(at("09:20"))
    assert len(found.open) == 25


def says(usable: bool | None, clock: str, day: int = 0, before: str = ONLINE) -> StationChange:
    """The station is online and says this of being usable."""
    return change(
        "A", before, ONLINE, at(clock, day), usable=usable, reason="usable" if before == ONLINE else "heartbeat"
    )


@pytest.mark.parametrize(
    ("name", "start", "timetable", "told"),
    [
        (
            "of no use while it is open: after the grace, begun when it said so",
            world(state=ONLINE),
            [("10:00", says(False, "10:00")), ("11:00", None), ("11:10", says(True, "11:10"))],
            [(UNUSABLE, "opened", "Mon 10:05:00"), (UNUSABLE, "closed", "Mon 11:10:00")],
        ),
        (
            "mended within the grace: nothing",
            world(state=ONLINE),
            [("10:00", says(False, "10:00")), ("10:04:50", says(True, "10:04:50")), ("11:00", None)],
            [],
        ),
        (
            "what says nothing is not of no use",
            world(state=ONLINE),
            [("10:00", says(None, "10:00")), ("11:00", None)],
            [],
        ),
        (
            "it takes its word back without another: over as well",
            world(state=ONLINE),
            [("10:00", says(False, "10:00")), ("10:30", None), ("10:40", says(None, "10:40"))],
            [(UNUSABLE, "opened", "Mon 10:05:00"), (UNUSABLE, "closed", "Mon 10:40:00")],
        ),
        (
            "it changes its word each minute for an hour: nobody is paged by that",
            world(state=ONLINE),
            [(f"10:{minute:02}", says(minute % 2 == 1, f"10:{minute:02}")) for minute in range(60)] + [("11:00", None)],
            [],
        ),
        (
            "since before the opening: the grace begins with it",
            world(state=ONLINE),
            [("08:10", says(False, "08:10")), ("09:04:30", None), ("09:30", None)],
            [(UNUSABLE, "opened", "Mon 09:05:00")],
        ),
        (
            "only time in which it is open counts: over the lunch break it begins again",
            world(state=ONLINE),
            [("11:58", says(False, "11:58")), ("14:04:30", None), ("15:00", None)],
            [(UNUSABLE, "opened", "Mon 14:05:00")],
        ),
        (
            "mended in the evening, told in the morning",
            world(state=ONLINE),
            [("17:00", says(False, "17:00")), ("17:45", None), ("18:00", says(True, "18:00"))],
            [(UNUSABLE, "opened", "Mon 17:05:00"), (UNUSABLE, "closed", "Tue 09:00:00")],
        ),
        (
            "switched off over night and still of no use in the morning: one incident all along",
            world(state=ONLINE),
            [
                ("16:00", says(False, "16:00")),
                ("18:00", fell("17:50", "18:00", usable=None)),
                ("08:50+1", says(False, "08:50", 1, before=OFFLINE)),
                ("11:00+1", None),
                ("11:30+1", says(True, "11:30", 1)),
            ],
            [(UNUSABLE, "opened", "Mon 16:05:00"), (UNUSABLE, "closed", "Tue 11:30:00")],
        ),
        (
            "it falls within the grace: it is offline, and of its use nobody knows",
            world(state=ONLINE),
            [("10:00", says(False, "10:00")), ("10:03", fell("10:02", "10:03", usable=None)), ("11:00", None)],
            [(DOWN, "opened", "Mon 10:03:00")],
        ),
        (
            "it falls afterwards: two things are wrong, each is over by itself",
            world(state=ONLINE),
            [
                ("10:00", says(False, "10:00")),
                ("10:30", fell("10:20", "10:30", usable=None)),
                ("10:40", says(False, "10:40", before=OFFLINE)),
                ("11:30", None),
                ("11:31", says(True, "11:31")),
            ],
            [
                (UNUSABLE, "opened", "Mon 10:05:00"),
                (DOWN, "opened", "Mon 10:30:00"),
                (DOWN, "closed", "Mon 10:40:00"),
                (UNUSABLE, "closed", "Mon 11:31:00"),
            ],
        ),
        (
            "of no use and then away, as it said",
            world(state=ONLINE),
            [("10:00", says(False, "10:00")), ("10:02", change("A", ONLINE, AWAY, at("10:02"))), ("11:30", None)],
            [],
        ),
        (
            "being built, nobody wants to use it",
            world(state=ONLINE, lifecycle="planned"),
            [("10:00", says(False, "10:00")), ("11:30", None)],
            [],
        ),
    ],
)
def test_a_stations_day_without_use(
    name: str, start: World, timetable: list[tuple[str, StationChange | None]], told: list[tuple[str, str, str]]
) -> None:
    for when, news in timetable:
        clock, _, day = when.partition("+")
        now = at(clock, int(day or 0))
        start.until(now)
        start.step(now, *([news] if news else []))
    assert [entry[1:] for entry in start.told] == told, name


def test_an_unusable_incident_began_when_it_was_said() -> None:
    found = world(state=ONLINE)
    found.until(at("10:00"))
    found.step(at("10:00:01"), change("A", ONLINE, ONLINE, at("10:00"), at("10:00:01"), usable=False))
    found.until(at("10:05"))
    (incident,) = found.incidents.values()
    assert (incident.kind, incident.key, incident.began_at) == (UNUSABLE, "unusable:A", at("10:00"))
    assert incident.detail == {"reason": "said_unusable"}, "when it was heard last is no part of this"


@pytest.mark.parametrize(
    ("every", "told"),
    [(2.0, "10:05:00"), (60.0, "10:05:00"), (145.0, "10:05:00"), (600.0, "10:20:10"), (1800.0, "11:00:10")],
    ids=str,
)
def test_three_heartbeats_report_it_before_it_is_an_incident(every: float, told: str) -> None:
    """With a heartbeat in half an hour, five minutes pass after the first one, whatever the next one reports."""
    found = world(state=ONLINE)
    found.field.note_promise("A", every)
    found.until(at("10:00"))
    found.step(at("10:00"), says(False, "10:00"))
    found.until(at("11:30"), seconds=5)
    assert found.told == [("A", UNUSABLE, "opened", f"Mon {told}")]


@pytest.mark.parametrize(
    ("every", "said", "told"),
    [
        (60.0, "08:01", "09:05:00"),  # as before
        (1800.0, "07:01", "09:30:10"),  # the service may start with the opening: the next heartbeat tells
        (1800.0, "08:55", "09:55:10"),
    ],
)
def test_heartbeats_before_the_opening_count_and_one_after_it_is_waited_for(every: float, said: str, told: str) -> None:
    found = world(state=ONLINE, since="18:00")
    found.field.note_promise("A", every)
    found.step(at(said) if said > "08:00" else at("08:00"), says(False, said))
    found.until(at("10:30"), seconds=5)
    assert found.told == [("A", UNUSABLE, "opened", f"Mon {told}")]


def test_one_that_is_older_than_the_opening_began_with_it_and_says_since_when() -> None:
    found = world(state=ONLINE)
    found.until(at("08:10"))
    found.step(at("08:10"), says(False, "08:10"))
    found.until(at("09:06"))
    (incident,) = found.incidents.values()
    assert incident.began_at == at("09:00")
    assert incident.detail == {"reason": "said_unusable", "unusable_since": at("08:10")}


def test_a_closure_silences_of_no_use_as_it_does_the_rest() -> None:
    found = world(state=ONLINE)
    found.field.schedule.set_closures([closure(1, at("09:30"), at("11:00"), station="A")])
    found.until(at("10:00"))
    found.step(at("10:00"), says(False, "10:00"))
    found.until(at("11:04"))
    assert found.told == []
    found.until(at("11:06"))
    assert found.told == [("A", UNUSABLE, "opened", "Mon 11:05:00")]


def test_while_the_clock_says_nothing_nobody_is_called_of_no_use() -> None:
    """And after the gap it has time to say something else; gaps that come again and again hide nothing."""
    found, clock = world(state=ONLINE), (0, "main")
    found.until(at("10:00"))
    found.step(at("10:00"), says(False, "10:00"))
    for minute in range(1, 9):
        found.step(at(f"10:0{minute}"), untrusted=[clock])
    assert found.told == []
    found.field.resume(clock, at("10:08:30"))
    found.until(at("10:09:30"))
    assert found.told == []
    for minute in range(10, 20, 2):
        found.until(at(f"10:{minute}"))
        found.field.resume(clock, at(f"10:{minute}"))
    assert [entry[1:3] for entry in found.told] == [(UNUSABLE, "opened")]


def test_a_new_process_goes_on_with_both_incidents_of_a_station() -> None:
    found = world(state=ONLINE)
    found.until(at("10:00"))
    found.step(at("10:00"), says(False, "10:00"))
    found.until(at("10:10"))
    found.step(at("10:12"), fell("10:11", "10:12", usable=None))
    assert found.open == ["station_offline:A", "unusable:A"]
    again = World(at("10:12"), [(facts(), judged(OFFLINE, at("10:11")))])
    again.incidents, again._ids = found.incidents, 2
    again.watch.reconcile([("A", DOWN), ("A", UNUSABLE)])
    again.until(at("11:00"))
    assert again.told == []
    again.step(at("11:01"), says(True, "11:01", before=OFFLINE))
    assert again.open == []


def test_a_new_process_knows_since_when_it_is_of_no_use() -> None:
    again = World(at("10:03"), [(facts(), judged(ONLINE, at("09:40"), usable=False, unusable_since=at("10:00")))])
    again.until(at("10:06"))
    assert again.told == [("A", UNUSABLE, "opened", "Mon 10:05:00")]
