"""The console's pure parts: map, strip, names, and the words of its templates."""

import asyncio
import math
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes

from alerting.stations.verdict import Verdict
from api.console import pages
from api.console.details import facts_of
from api.console.incident_pages import KINDS
from api.console.names import name_of, topic_of, where
from api.console.pages import STATIC, link
from api.console.station_map import (
    ORDER,
    PHONE,
    PLACES,
    SHAPES,
    STATIONS,
    WIDTH,
    Lettering,
    MapLabel,
    Mark,
    Place,
    Point,
    Projection,
    cluster,
    draw,
    outline,
    scale_bar,
)
from api.console.texts import TABLES, Words
from api.console.timeline_bar import Segment, segments, sums
from api.http.problems import DatabaseAwayError
from api.http.shared_query import SharedQuery

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def point(lat: float, lon: float, verdict: Verdict = Verdict.ONLINE, **more: str | int) -> Point:
    return Point(lat=lat, lon=lon, verdict=verdict, **more)  # type: ignore[arg-type]


# -- the map -----------------------------------------------------------------------------------------------------


def test_a_kilometre_is_as_long_to_the_east_as_to_the_north() -> None:
    project = Projection([point(36.0, 102.0), point(37.0, 103.0)])
    west, east = project(36.5, 102.2)[0], project(36.5, 102.8)[0]
    north, south = project(36.8, 102.5)[1], project(36.2, 102.5)[1]
    assert (east - west) / (south - north) == pytest.approx(math.cos(math.radians(36.5)), rel=0.01)


places = st.tuples(st.floats(-89, 89), st.floats(-180, 180), st.sampled_from(list(Verdict)))


@given(st.lists(places, min_size=1, max_size=60))
def test_every_station_is_drawn_inside_and_the_gravest_on_top(found: list[tuple[float, float, Verdict]]) -> None:
    atlas = draw([point(lat, lon, verdict, id=str(n)) for n, (lat, lon, verdict) in enumerate(found)])
    assert atlas is not None
    assert sum(mark.stations for mark in atlas.marks) == len(found)
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= atlas.height for mark in atlas.marks)
    graveness = [ORDER.index(mark.verdict) for mark in atlas.marks]
    assert graveness == sorted(graveness, reverse=True)


def test_thousands_become_clusters_and_an_offline_one_among_them_keeps_its_mark() -> None:
    crowd = [point(36 + n % 60 / 60, 102 + n // 60 / 60, id=str(n)) for n in range(3600)]
    atlas = draw([*crowd, point(36.5, 102.5, Verdict.OFFLINE, id="dead")])
    assert atlas is not None
    assert len(atlas.marks) < 1000
    assert sum(mark.stations for mark in atlas.marks) == 3601
    assert (atlas.marks[-1].id, atlas.marks[-1].stations) == ("dead", 1), "drawn last, alone"


def test_a_cluster_lies_in_the_middle_of_its_stations() -> None:
    marks = [
        Mark(x=x, y=5.0, verdict=Verdict.ONLINE, stations=n, id="", name="") for x, n in ((0.0, 3), (8.0, 1), (55.0, 1))
    ]
    assert [(mark.x, mark.stations) for mark in cluster(marks, 20)] == [(2.0, 4), (55.0, 1)]


def test_no_map_without_coordinates() -> None:
    assert draw([]) is None


def test_names_are_written_where_there_is_room() -> None:
    fallen = [point(36 + n / 1000, 102.5, Verdict.OFFLINE, id=str(n), name="官亭镇农家书屋") for n in range(5)]
    crowded = draw([*fallen, point(35.5, 101.5), point(36.5, 103.5)])
    assert crowded is not None
    assert len(crowded.labels) == 4, "one on each side, above and below; another would cover one of them"
    many = draw([point(36 + n, 102 + n, Verdict.OFFLINE, name="x") for n in range(20)])
    assert many is not None
    assert many.labels == []


def boxes(labels: list[MapLabel], lettering: Lettering) -> list[tuple[float, float, float, float]]:
    """What names cover, as narrow as they may be: a quarter less than the width that room is kept for."""
    shares = {"start": 0.0, "middle": 0.5, "end": 1.0}
    found = []
    for label in labels:
        width, half = lettering.width(label.text) * 0.75, lettering.size / 2
        left = label.x - width * shares[label.anchor]
        found.append((left, label.y - half, left + width, label.y + half))
    return found


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


county = st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["海东市", "民和回族土族自治县", "Minhe", "x"]))


@given(st.lists(places, min_size=1, max_size=40), st.lists(county, max_size=24))
def test_no_name_is_cut_off_or_lies_on_another_or_on_what_is_wrong(
    found: list[tuple[float, float, Verdict]], counties: list[tuple[float, float, str]]
) -> None:
    points = [
        point(35 + lat / 90, 102 + lon / 180, its, id=str(n), name="农家书屋")
        for n, (lat, lon, its) in enumerate(found)
    ]
    named = [
        Place(level="county", code=str(n), name=name, lat=34 + 2 * lat, lon=101 + 2 * lon)
        for n, (lat, lon, name) in enumerate(counties)
    ]
    atlas = draw(points, named)
    assert atlas is not None
    for written, reach in (
        ([*boxes(atlas.places, PLACES), *boxes(atlas.labels, STATIONS)], 8.0),
        (boxes(atlas.phone, PHONE), 8.0 * PHONE.marks),
    ):
        assert all(box[0] >= 0 and box[2] <= WIDTH and box[1] >= 0 and box[3] <= atlas.height for box in written)
        assert all(apart(one, other) for n, one in enumerate(written) for other in written[:n])
        for mark in atlas.marks:
            if mark.verdict in (Verdict.OFFLINE, Verdict.UNUSABLE):
                size = reach * mark.size
                around = (mark.x - size, mark.y - size, mark.x + size, mark.y + size)
                assert all(apart(box, around) for box in written)


def test_a_name_lies_beside_markers_where_there_is_room_and_at_the_edge_is_moved_inside() -> None:
    crowd = [point(36.0, 102.0 + n / 500, id=str(n)) for n in range(5)]
    two = [
        Place(level="county", code="a", name="化隆回族自治县", lat=36.0, lon=102.0),
        Place(level="county", code="b", name="b", lat=35.0, lon=100.0),
    ]
    atlas = draw([*crowd, point(35.0, 100.0)], two)
    assert atlas is not None
    name = next(place for place in atlas.places if place.code == "a")
    width = PLACES.width(name.text)
    assert name.x + width / 2 <= WIDTH, "its middle is at the edge"
    assert all(abs(mark.y - name.y) > 12 for mark in atlas.marks if abs(mark.x - name.x) < width / 2), "beside them"


def test_areas_are_named_by_the_smallest_that_are_few_enough() -> None:
    counties = [Place(level="county", code=f"c{n}", name=f"c{n}", lat=30.0 + n, lon=100.0) for n in range(30)]
    two = [Place(level="prefecture", code=f"p{n}", name=f"p{n}", lat=30.0 + 9 * n, lon=100.0) for n in range(2)]
    points = [point(30.0, 90.0), point(60.0, 110.0)]
    for given_places, named in (([*counties, *two], ["p0", "p1"]), (counties[:2], ["c0", "c1"]), (counties[:1], [])):
        atlas = draw(points, given_places)
        assert atlas is not None
        assert [place.text for place in atlas.places] == named


@pytest.mark.parametrize(("units", "km"), [(1000.0, 20), (100.0, 200), (10.0, 2000), (40_000.0, 0.5)])
def test_the_scale_is_a_round_number_and_fits(units: float, km: float) -> None:
    bar = scale_bar(units)
    assert bar.km == pytest.approx(km)
    assert bar.length <= WIDTH / 5


def test_every_verdict_has_a_shape_of_its_own_and_an_order() -> None:
    assert set(SHAPES) == {verdict.value for verdict in Verdict} == set(ORDER)
    assert len(set(SHAPES.values())) == len(SHAPES)
    assert all(outline(verdict).startswith("M") and outline(verdict).endswith("z") for verdict in SHAPES)


# -- the strip ---------------------------------------------------------------------------------------------------


class Piece(msgspec.Struct, frozen=True):
    begin: datetime
    end: datetime
    verdict: Verdict
    evidence: str = "live"


def pieces(*lengths: tuple[float, Verdict]) -> list[Piece]:
    """Intervals of so many hours, one after the other."""
    found, at = [], BEGIN
    for hours, verdict in lengths:
        found.append(Piece(at, at + timedelta(hours=hours), verdict))
        at = found[-1].end
    return found


def test_the_strip_shows_runs() -> None:
    day = pieces((6, Verdict.ONLINE), (12, Verdict.OFFLINE), (6, Verdict.ONLINE))
    assert segments(day, BEGIN, BEGIN + DAY, parts=24) == [
        Segment(x=0, width=6, look="online"),
        Segment(x=6, width=12, look="offline"),
        Segment(x=18, width=6, look="online"),
    ]


def test_a_short_outage_is_not_lost_and_presence_is_told_apart() -> None:
    day = pieces((12.4, Verdict.ONLINE), (0.01, Verdict.OFFLINE), (11.59, Verdict.ONLINE))
    assert [run.look for run in segments(day, BEGIN, BEGIN + DAY, parts=24)] == ["online", "offline", "online"]
    ran = [Piece(BEGIN, BEGIN + DAY, Verdict.OFFLINE, "presence")]
    assert [run.look for run in segments(ran, BEGIN, BEGIN + DAY)] == ["presence"]


@given(st.lists(st.tuples(st.floats(0.001, 10), st.sampled_from(list(Verdict))), min_size=1, max_size=20))
def test_the_strip_covers_the_time_once_and_the_sums_are_exact(lengths: list[tuple[float, Verdict]]) -> None:
    history = pieces(*lengths)
    begin, end = BEGIN, history[-1].end
    runs = segments(history, begin, end, parts=50)
    assert [run.x for run in runs] == [sum(run.width for run in runs[:n]) for n in range(len(runs))]
    assert sum(run.width for run in runs) == 50
    assert sum(sums(history).values(), timedelta()) == end - begin
    gravest = min((verdict for _, verdict in lengths), key=ORDER.index)
    assert gravest.value in {run.look for run in runs}


@pytest.mark.parametrize(("rest", "looks"), [(1e6, 1), (0.0, 2)])
async def test_a_slow_look_serves_longer(monkeypatch: pytest.MonkeyPatch, rest: float, looks: int) -> None:
    for name, value in (("LOOK_EVERY", 0.0), ("_QUICK", 0.0), ("_REST", rest)):
        monkeypatch.setattr(f"api.http.shared_query.{name}", value)
    done = []

    async def look() -> int:
        done.append(await asyncio.to_thread(len, "looking"))
        return len(done)

    seen = SharedQuery(look)
    assert [await seen(), await seen()] == [1, looks]


async def test_who_asks_for_something_lately_does_not_wait_for_a_slow_look(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LOOK_EVERY", 0.0), ("_QUICK", 0.0), ("_REST", 0.0)):
        monkeypatch.setattr(f"api.http.shared_query.{name}", value)
    may_look, answers = asyncio.Event(), iter("abc")

    async def look() -> str:
        await asyncio.wait_for(may_look.wait(), 10)
        found = next(answers, None)
        if found is None:
            raise DatabaseAwayError("away")
        return found

    seen = SharedQuery(look)
    asyncio.get_running_loop().call_later(0.01, may_look.set)
    assert await seen.lately() == "a", "there is nothing yet: it waits"
    may_look.clear()
    assert await seen.lately() == "a"
    may_look.set()
    assert await seen() == "c", "the look went on meanwhile"
    assert await seen.lately() == "c"
    with pytest.raises(DatabaseAwayError):
        await seen()
    assert await seen.lately() is None, "better nothing than what is old"


async def test_a_look_in_the_background_ends_when_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.http.shared_query._FIRST", 0.0)
    ended = asyncio.Event()

    async def look() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    seen = SharedQuery(look)
    assert await seen.lately() is None, "nothing is found in time"
    await asyncio.sleep(0)
    seen.close()
    await asyncio.wait_for(ended.wait(), 10)


# -- words -------------------------------------------------------------------------------------------------------


def test_names_in_the_readers_language_and_tibetan_always() -> None:
    name = name_of(Words("en"), "官亭", "Guanting", "ཀོན་ཐེན།")
    assert (name.main, name.others) == ("Guanting", [("zh-CN", "官亭"), ("bo", "ཀོན་ཐེན།")])
    assert name_of(Words("en"), "官亭").main == "官亭"
    assert name_of(Words("zh-CN"), "官亭", "Guanting").others == [("en", "Guanting")]
    assert where("官亭", "6321", "6321", None) == "官亭 · 6321"


def test_addresses_are_escaped_and_leave_out_what_is_not_asked() -> None:
    assert link("/stations", q="a&b=<c>", area=None, verdict="") == "/stations?q=a%26b%3D%3Cc%3E"
    assert link("/stations") == "/stations"


def test_every_word_of_a_template_is_in_the_tables() -> None:
    for path in STATIC.with_name("templates").iterdir():
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r'words\("([a-z_]+)"', text) + re.findall(r'words\("[a-z_]+" if \S+ else "(\w+)"', text):
            assert name in TABLES["en"], f"{path.name}: {name}"


@pytest.mark.parametrize("language", TABLES)
def test_everything_that_has_a_word_of_its_own_has_it(language: str) -> None:
    words = Words(language)
    families = {
        "verdict": [*(verdict.value for verdict in Verdict), "presence", "conflicting"],
        "kind": KINDS,
        "status": ("open", "acknowledged", "closed"),
        "refusal": ("closed", "already_acknowledged", "empty", "too_long"),
        "action": ("opened", "acknowledged", "assigned", "note", "resolved", "closed"),
        "evidence": ("live", "presence", "none"),
    }
    for family, names in families.items():
        for name in names:
            assert words.named(family, name) != name or language == "en", f"{family}.{name}"


def test_a_dead_channel_is_shown_by_its_contact_and_in_words() -> None:
    detail = {"contact": "li", "channel": "wecom", "reason": "channel_refused", "answer": "refused with code 93000"}
    assert topic_of(Words("zh-CN"), "channel_dead", detail) == "li · 企业微信"
    assert topic_of(Words("en"), "channel_dead", {"contacts": 300, "channel": "sms"}) == "SMS"
    assert facts_of(Words("zh-CN"), detail) == [
        ("联系人", "li"),
        ("通知渠道", "企业微信"),
        ("原因", "服务商拒绝该渠道"),
        ("应答", "被拒绝，代码 93000"),
    ]


def test_templates_ask_for_a_field_of_a_detail_that_may_be_absent() -> None:
    """A detail has other fields for each kind and state, and an absent field that is named fails the whole page."""
    environment = pages._TEMPLATES
    named = [
        (template, node.attr)
        for template in environment.list_templates()
        for node in _parsed(environment, template).find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Getattr) and node.node.attr == "detail"
    ]
    assert {attribute for _, attribute in named} == {"get"}, named


def _parsed(environment: Environment, template: str) -> nodes.Template:
    assert environment.loader is not None
    return environment.parse(environment.loader.get_source(environment, template)[0])
