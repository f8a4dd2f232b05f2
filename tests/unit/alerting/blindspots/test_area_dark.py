"""Areas without service: when they are dark, who speaks for whom, and who is told."""

from datetime import timedelta

from tests.unit.alerting.blindspots.blindspot_kit import DAY, HOUR, MINUTE, PATH, START, Scene, Taken

COUNTY = "area_dark:632122"


def two_stations() -> Scene:
    scene = Scene()
    scene.add("A")
    scene.add("B")
    scene.go()
    return scene


def test_an_area_is_dark_when_nothing_worked_for_a_quarter_of_an_hour() -> None:
    scene = two_stations()
    scene.go(HOUR)
    scene.change("A", state="offline")
    scene.go(MINUTE)
    scene.change("B", state="offline", since=scene.now - 2 * MINUTE)
    scene.go(12 * MINUTE)
    assert scene.open == {}
    scene.go(MINUTE)
    since = START + HOUR + MINUTE - 2 * MINUTE
    assert scene.open == {"area_dark:63": since, "area_dark:6321": since, COUNTY: since}


def test_the_highest_area_pages_and_those_below_are_its_children() -> None:
    scene = two_stations()
    for station in ("A", "B"):
        scene.change(station, state="offline")
    scene.go(15 * MINUTE, step=MINUTE)
    assert scene.pages == [("area_dark:63", "opened")]
    assert scene.incident("area_dark:6321").parent == scene.incident("area_dark:63").id
    assert scene.incident(COUNTY).parent == scene.incident("area_dark:6321").id
    assert scene.incident(COUNTY).detail == {
        "kind": "area_dark", "since": START.isoformat(), "clears": "station_works", "stage": "dark_area",
        "stations": 2, "waiting": 2, "quiet": False,
    }  # fmt: skip
    scene.change("A", state="online")
    scene.go(MINUTE)
    assert scene.open == {}
    assert scene.pages == [("area_dark:63", "closed")]
    assert scene.incident(COUNTY).ended_at == START + 15 * MINUTE


def test_one_station_alone_is_listed_and_not_paged() -> None:
    scene = Scene()
    scene.add("A")
    scene.go()
    scene.change("A", state="offline")
    scene.go(15 * MINUTE)
    assert set(scene.open) == {"area_dark:63", "area_dark:6321", COUNTY}
    assert scene.pages == []


def test_the_last_one_left_is_a_warning_that_becomes_dark() -> None:
    scene = two_stations()
    scene.change("A", state="offline")
    scene.go(15 * MINUTE)
    assert scene.incident(COUNTY).detail["stage"] == "last_one"
    assert scene.pages == []
    scene.change("B", state="offline")
    scene.go(14 * MINUTE)
    assert scene.incident(COUNTY).detail["stage"] == "last_one"
    scene.go(MINUTE)
    assert scene.incident(COUNTY).detail["stage"] == "dark_area"
    assert scene.open[COUNTY] == START + 15 * MINUTE
    assert scene.pages == [("area_dark:63", "opened")]
    assert len(scene.incidents) == 3
    scene.change("B", state="online")
    scene.go(MINUTE)
    assert scene.open == {}
    scene.go(14 * MINUTE)
    assert scene.incident(COUNTY).detail["stage"] == "last_one"
    scene.change("A", state="online")
    scene.go(MINUTE)
    assert scene.open == {}


def test_closing_time_ends_nothing_and_begins_nothing() -> None:
    scene = two_stations()
    for station in ("A", "B"):
        scene.change(station, state="offline")
    scene.go(10 * MINUTE)
    for station in ("A", "B"):
        scene.change(station, open=False)
    scene.go(12 * HOUR)
    assert scene.open == {}
    for station in ("A", "B"):
        scene.change(station, open=True)
    scene.go(15 * MINUTE)
    assert scene.open[COUNTY] == START + 12 * HOUR + 10 * MINUTE
    for station in ("A", "B"):
        scene.change(station, open=False)
    scene.go(12 * HOUR)
    assert COUNTY in scene.open
    scene.change("A", state="online")
    scene.go(MINUTE)
    assert scene.open == {}


def test_unknown_time_does_not_count() -> None:
    scene = two_stations()
    for station in ("A", "B"):
        scene.change(station, state="offline")
    scene.go(10 * MINUTE)
    scene.untrusted = frozenset({(0, "main")})
    scene.go(HOUR)
    assert scene.open == {}
    scene.untrusted = frozenset()
    scene.unknown(START + 10 * MINUTE, START + 70 * MINUTE)
    scene.go(4 * MINUTE)
    assert scene.open == {}
    scene.go(MINUTE)
    assert scene.open[COUNTY] == START


def test_a_clock_of_another_area_holds_nobody_back() -> None:
    scene = two_stations()
    scene.add("C", path=("64",), partition=1)
    for station in ("A", "B"):
        scene.change(station, state="offline")
    scene.untrusted = frozenset({(1, "main")})
    scene.go(15 * MINUTE)
    assert COUNTY in scene.open


def test_children_get_time_to_come_back_too() -> None:
    scene = Scene()
    for station, township in (("A", "1"), ("B", "1"), ("C", "2"), ("D", "2")):
        scene.add(station, path=(*PATH, township))
    scene.go()
    for station in scene.stations:
        scene.change(station, state="offline")
    scene.go(15 * MINUTE)
    assert scene.pages == [("area_dark:63", "opened")]
    scene.change("A", state="online")
    scene.go(14 * MINUTE)
    assert scene.pages == [("area_dark:63", "closed")]
    assert scene.open.keys() >= {"area_dark:2"}
    scene.go(MINUTE)
    assert scene.pages == [("area_dark:2", "opened")]
    assert scene.incident("area_dark:2").parent is None
    scene.change("C", state="online")
    scene.go(MINUTE)
    assert scene.pages == [("area_dark:2", "closed")]


def test_a_larger_area_takes_in_those_that_spoke_for_themselves() -> None:
    scene = Scene()
    for station, township in (("A", "1"), ("B", "1"), ("C", "2"), ("D", "2")):
        scene.add(station, path=("63", township))
    scene.go()
    for station in "AB":
        scene.change(station, state="offline")
    scene.go(15 * MINUTE)
    assert scene.pages == [("area_dark:1", "opened")]
    for station in "CD":
        scene.change(station, state="offline")
    scene.go(15 * MINUTE)
    assert scene.pages == [("area_dark:63", "opened")]
    province = scene.incident("area_dark:63").id
    assert {scene.incident(f"area_dark:{n}").parent for n in "12"} == {province}


def test_an_outage_that_was_paged_speaks_for_its_area() -> None:
    scene = two_stations()
    for station in ("A", "B"):
        scene.change(station, state="offline")
    outage = scene.put_outage("area_outage:area:63", "63")
    scene.go(15 * MINUTE)
    assert scene.incident("area_dark:63").parent == outage
    assert scene.pages == []
    scene.close_outage("area_outage:area:63")
    scene.go(15 * MINUTE - timedelta(seconds=1))
    assert scene.pages == []
    scene.go(timedelta(seconds=1))
    assert scene.pages == [("area_dark:63", "opened")]


def test_closures_and_leaving_service_end_it() -> None:
    for facts in ({"excused": True, "silenced": True}, {"lifecycle": "suspended"}):
        scene = two_stations()
        for station in ("A", "B"):
            scene.change(station, state="offline")
        scene.go(15 * MINUTE)
        for station in ("A", "B"):
            scene.change(station, **facts)
        scene.go(MINUTE)
        assert scene.open == {}, facts


def test_nobody_waits_for_what_never_reported() -> None:
    scene = Scene()
    for station in "AB":
        scene.add(station, "never_seen", since=None)
    scene.go(23 * HOUR)
    assert scene.open == {}


def test_what_a_person_resolved_stays_so_until_it_is_over() -> None:
    scene = two_stations()
    for station in ("A", "B"):
        scene.change(station, state="offline")
    scene.go(15 * MINUTE)
    for area in PATH:
        scene.resolve(f"area_dark:{area}")
    scene.go(HOUR, step=10 * MINUTE)
    scene.restart()
    scene.go(HOUR, step=10 * MINUTE)
    assert scene.open == {}
    scene.change("A", state="online")
    scene.change("B", state="online")
    scene.go(MINUTE)
    for station in ("A", "B"):
        scene.change(station, state="offline")
    scene.go(15 * MINUTE)
    assert COUNTY in scene.open


def test_unusable_is_not_working() -> None:
    scene = two_stations()
    scene.go(DAY)
    for station in ("A", "B"):
        scene.change(station, usable=False)
    scene.go(15 * MINUTE)
    assert scene.open[COUNTY] == START + DAY


def test_outages_elsewhere_or_later_speak_for_nobody() -> None:
    for area, began in (("64", START), ("63", START + HOUR)):
        scene = two_stations()
        scene.outages = [Taken("area_outage:area:x", began, {area: 2})]
        for station in ("A", "B"):
            scene.change(station, state="offline")
        scene.go(15 * MINUTE)
        assert scene.pages == [("area_dark:63", "opened")], area
