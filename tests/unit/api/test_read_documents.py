"""Documents from rows, without a database: shards, readiness, lifecycles, and the names of types in /openapi.json."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerting.pipeline.stability import Stability
from alerting.stations.expected import CalendarNow, ClosureNow, Cover
from alerting.stations.verdict import Clock, Clocks, Verdict
from api.read.shard_documents import Doubts, Steadiness, shard_documents
from api.read.station_documents import heard_through, station_document
from api.read.timeline_documents import lifecycles_of
from api.v1.component_names import with_published_names
from api.v1.readiness import lacking, unsteady

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
ALWAYS = datetime.min.replace(tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def clocks(*ages: float, blind: float | None = None) -> Clocks:
    """A clock of shard `main` a partition, as old as said, which shows 1,000 s."""
    blind_since = None if blind is None else ago(blind)
    return Clocks(
        (
            Clock(
                partition=number,
                shard="main",
                clock=1000.0,
                tick_at=ago(age),
                judged_at=ago(age),
                blind_since=blind_since,
            )
            for number, age in enumerate(ages)
        ),
        NOW,
    )


STATION: dict[str, Any] = {
    "id": "s", "name": "s", "area": None, "lifecycle": "commissioned", "quorum": 1, "calendar": None, "partition": 0,
    "shard": None, "state": "online", "since": ago(600), "usable": True, "path": None, "programmes": [],
    "flapping": False,
}  # fmt: skip
TERMINAL: dict[str, Any] = {
    "id": "001", "type": None, "counts": True, "installed_at": None, "refresh_due": None, "partition": 0,
    "shard": "main", "state": "online", "since": ago(600), "seen_at": ago(5), "usable": True, "users": 2, "every": 60.0,
    "deadline": 1180.0,
}  # fmt: skip

DEADLINES = {
    "of one terminal: that of the terminal": (1, [1180.0], ago(1) + timedelta(seconds=180)),
    "of two of which one suffices: the later one": (1, [1060.0, 1180.0], ago(1) + timedelta(seconds=180)),
    "of two that are both needed: the earlier one": (2, [1060.0, 1180.0], ago(1) + timedelta(seconds=60)),
    "fewer terminals than are needed: none": (2, [1180.0], None),
    "further away than any promise: none": (1, [1e9], None),
    "no number at all: none": (1, [float("inf")], None),
}


@pytest.mark.parametrize("case", DEADLINES)
def test_a_station_stops_being_online_when_too_few_terminals_are_left(case: str) -> None:
    quorum, deadlines, expected = DEADLINES[case]
    terminals = [TERMINAL | {"id": f"{n:03}", "deadline": deadline} for n, deadline in enumerate(deadlines)]
    document = station_document(STATION | {"quorum": quorum}, terminals, clocks(1), Cover())
    assert document.deadline == expected
    assert document.verdict is Verdict.ONLINE


def test_nothing_is_said_of_a_station_whose_clock_is_stale() -> None:
    document = station_document(STATION, [TERMINAL], clocks(11), Cover())
    assert (document.verdict, document.unknown_because) == (Verdict.UNKNOWN, "clock_stale")
    assert (document.usable, document.deadline, document.terminals[0].state) == (None, None, "unknown")
    assert document.last_seen == ago(5)


def test_a_closure_and_hours_stand_beside_the_verdict() -> None:
    cover = Cover(
        [CalendarNow(calendar=7, open=False, changed_at=ago(3600), changes_at=NOW)],
        [ClosureNow(id=3, from_at=ago(60), approved=False, station="s")],
    )
    document = station_document(STATION | {"calendar": 7, "state": "offline"}, [TERMINAL], clocks(1), cover)
    assert (document.verdict, document.closure, document.open) == (Verdict.CLOSED, 3, False)
    assert (document.opens_at, document.closes_at) == (NOW, None)


HEARD = {
    "the terminal that was heard last": ([("a", ago(9)), ("b", ago(3))], "b"),
    "the first of equals": ([("a", ago(3)), ("b", ago(3))], "a"),
    "a terminal that was never heard does not count": ([("a", None), ("b", ago(9))], "b"),
    "no terminal has a shard": ([(None, ago(3))], None),
    "no terminal": ([], None),
}


@pytest.mark.parametrize("case", HEARD)
def test_the_shard_that_counts_is_the_one_that_heard_last(case: str) -> None:
    heard, expected = HEARD[case]
    assert heard_through([{"shard": shard, "seen_at": at} for shard, at in heard]) == expected


def test_a_shard_shows_its_worst_partition() -> None:
    found = clocks(0.5, 12, blind=None)
    (shard,) = shard_documents(found, {}, Doubts({"main": ["x"]}, {}), Steadiness(frozenset(), {}))
    assert (shard.sound, shard.lag_s, shard.misnumbering) == (False, 12.0, ["x"])
    assert [partition.sound for partition in shard.partitions] == [True, False]
    assert (shard.unstable, shard.gaps_10m) == (False, 0)


LACKING = {
    "nothing was ever judged": (clocks(), "no tick was ever judged"),
    "one sound clock is enough": (clocks(60, 1), None),
    "the last tick is old": (clocks(60, 30), "30 s old"),
    "the pipeline is blind": (clocks(1, blind=60), "blind"),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_keeps_the_pipeline_from_being_ready_is_named(case: str) -> None:
    found, expected = LACKING[case]
    missing = lacking(found)
    assert missing == [] if expected is None else expected in missing[0]


def test_a_shard_is_named_once_whether_its_gaps_recur_or_an_incident_says_so() -> None:
    figures = {"a": Stability(gaps=1, seconds=2.0), "quiet": Stability()}
    (warning,) = unsteady(Steadiness(frozenset({"a"}), figures))
    assert "'a' is unstable: 1 gaps of together 2.0 s" in warning


LIFECYCLES = {
    "no change on record": ([], "planned", ((ALWAYS, "planned"),)),
    "one change": (
        [{"at": ago(9), "before": "planned", "after": "commissioned"}],
        "commissioned",
        ((ALWAYS, "planned"), (ago(9), "commissioned")),
    ),
}


@pytest.mark.parametrize("case", LIFECYCLES)
def test_a_lifecycle_holds_until_the_next_and_the_first_one_from_always(case: str) -> None:
    changes, present, expected = LIFECYCLES[case]
    assert lifecycles_of(changes, present) == expected


def test_types_keep_their_published_names_wherever_they_stand() -> None:
    document = {
        "paths": {"/x": {"get": {"schema": {"$ref": "#/components/schemas/Listing_CatDocument_"}}}},
        "components": {
            "schemas": {
                "CatDocument": {"title": "CatDocument", "description": "A CatDocument."},
                "CatDocumentary": {"title": "CatDocumentary"},
                "Listing_CatDocument_": {
                    "title": "Listing[CatDocument]",
                    "items": {"$ref": "#/components/schemas/CatDocument"},
                },
            }
        },
    }
    found = with_published_names(document, {"CatDocument": "Cat"})
    assert list(found["components"]["schemas"]) == ["Cat", "CatDocumentary", "Listing_Cat_"]
    assert found["paths"]["/x"]["get"]["schema"] == {"$ref": "#/components/schemas/Listing_Cat_"}
    listing = found["components"]["schemas"]["Listing_Cat_"]
    assert listing == {"title": "Listing[Cat]", "items": {"$ref": "#/components/schemas/Cat"}}
    assert found["components"]["schemas"]["Cat"] == {"title": "Cat", "description": "A CatDocument."}
    assert found["components"]["schemas"]["CatDocumentary"] == {"title": "CatDocumentary"}
    assert with_published_names(document, {}) is document
