"""Coordinates that cannot be right are left off the map until a person confirms them."""

import re

import pytest

from registry.importing.places import Middle, Place, Surroundings, gcj02, kilometres, set_aside_places
from registry.importing.rows import Rows, parse_rows
from registry.importing.sheets.sheet import read_sheet
from registry.model import Station

PATH = ("630000000000", "630200000000", "630222000000", "630222100000")
TOWN = PATH[-1]
LEVELS = dict(zip(PATH, ("province", "prefecture", "county", "township"), strict=True))
HERE: Place = (36.33, 102.83)
NOBODY = Surroundings({TOWN: PATH}, LEVELS, {})
NEIGHBOURS = Surroundings({TOWN: PATH}, LEVELS, {TOWN: Middle(7, *HERE)})
COUNTY = Surroundings({TOWN: PATH}, LEVELS, {TOWN: Middle(2, 30.0, 100.0), PATH[-2]: Middle(9, *HERE)})


def rows(*places: tuple[str, str], area: str = TOWN) -> Rows:
    lines = "".join(f"S{number},n,{area},{lat},{lon}\n" for number, (lat, lon) in enumerate(places))
    return parse_rows(read_sheet(f"id,name,area,lat,lon\n{lines}".encode()), "stations")


def stored(*places: Place) -> dict[str, Station]:
    return {f"S{n}": Station(id=f"S{n}", name="n", lat=lat, lon=lon) for n, (lat, lon) in enumerate(places)}


def written(*places: Place) -> list[tuple[str, str]]:
    return [(repr(lat), repr(lon)) for lat, lon in places]


@pytest.mark.parametrize(
    ("place", "around", "why"),
    [
        pytest.param(("36.33", "102.83"), NOBODY, None, id="in its province"),
        pytest.param(("36.33", "102.83"), NEIGHBOURS, None, id="among its neighbours"),
        pytest.param(("36.9", "103.0"), NEIGHBOURS, None, id="at the edge of a large township"),
        pytest.param(("", ""), NEIGHBOURS, None, id="none"),
        pytest.param(("0", "0"), NOBODY, "0, 0 is no place in China but the zero of the map", id="zero"),
        pytest.param(("30.27", "120.15"), NOBODY, "lies outside the province of area 630222100000", id="elsewhere"),
        pytest.param(("36.33", "-102.83"), NOBODY, "lies outside the province", id="a sign"),
        pytest.param(
            ("34.0", "96.0"), NEIGHBOURS, r"lies \d+ km from the other stations of area 630222100000", id="far"
        ),
        pytest.param(("34.0", "96.0"), COUNTY, "km from the other stations of area 630222000000", id="far from all"),
        pytest.param(("34.0", "96.0"), NOBODY, None, id="nobody to compare with"),
    ],
)
def test_one_place(place: tuple[str, str], around: Surroundings, why: str | None) -> None:
    left, doubts = set_aside_places(rows(place), {}, around)
    assert len(doubts) == (why is not None)
    if why is not None:
        assert re.search(why, str(doubts[0]))
        assert str(doubts[0]).endswith(": left off the map")
        assert "lat" not in left.good[0].values
    else:
        assert left.good == rows(place).good


@pytest.mark.parametrize(
    ("area", "place"),
    [
        pytest.param("650100", ("87.6", "43.8"), id="in Xinjiang, where both fit the bounds of a latitude"),
        pytest.param("540100", ("89.9", "29.6"), id="in Tibet"),
    ],
)
def test_exchanged(area: str, place: tuple[str, str]) -> None:
    _, (doubt,) = set_aside_places(rows(place, area=area), {}, Surroundings({}, {}, {}))
    assert "look exchanged (latitude and longitude)" in str(doubt)
    assert "纬度和经度像是填反了" in doubt.problem.zh


def test_the_file_itself_shows_who_is_far_away() -> None:
    places = [(36.33 + n / 100, 102.83) for n in range(9)] + [(32.0, 90.0)]
    _, doubts = set_aside_places(rows(*written(*places)), {}, NOBODY)
    assert [doubt.line for doubt in doubts] == [11]


def test_what_is_stored_is_not_asked_about_again() -> None:
    there = (30.0, 120.0)
    left, doubts = set_aside_places(rows(*written(there)), stored(there), NEIGHBOURS)
    assert doubts == []
    assert left.good[0].values["lat"] == 30.0


def test_a_place_in_doubt_leaves_what_is_stored() -> None:
    _, (doubt,) = set_aside_places(rows(("0", "0")), stored(HERE), NEIGHBOURS)
    assert str(doubt).endswith("the place stays as it is stored")


BEFORE: list[Place] = [(36.33, 102.83), (36.41, 102.9), (36.5, 102.7)]


def test_gcj02_is_known_by_its_offset_from_what_is_stored() -> None:
    after = written(*map(gcj02, BEFORE), gcj02((36.6, 102.8)))
    _, doubts = set_aside_places(rows(*after), stored(*BEFORE), NOBODY)
    assert [doubt.line for doubt in doubts] == [2, 3, 4, 5]
    assert "GCJ-02" in str(doubts[0])
    assert "may be GCJ-02, as other rows of the file are" in str(doubts[3])


def test_a_station_that_moved_is_not_gcj02() -> None:
    after = written((36.335, 102.83), *BEFORE[1:], (36.6, 102.8))
    assert set_aside_places(rows(*after), stored(*BEFORE), NOBODY)[1] == []


def test_one_row_of_gcj02_does_not_make_the_others_so() -> None:
    after = written(gcj02(BEFORE[0]), (36.45, 102.9), BEFORE[2], (36.6, 102.8))
    assert [doubt.line for doubt in set_aside_places(rows(*after), stored(*BEFORE), NOBODY)[1]] == [2]


def test_the_correction_of_gcj02_is_taken() -> None:
    wrong = [gcj02(place) for place in BEFORE]
    assert set_aside_places(rows(*written(*BEFORE)), stored(*wrong), NOBODY)[1] == []


def test_gcj02_as_published() -> None:
    """A pair that is widely used to check this formula."""
    assert kilometres(gcj02((31.1774276, 121.5272106)), (31.17530398364597, 121.531541859215)) < 0.01


# The seats of the provinces, and places near their edges.
TRUE_PLACES = """
11 39.90 116.41|12 39.13 117.20|13 38.04 114.50|14 37.87 112.55|15 40.84 111.75|21 41.80 123.43|22 43.88 125.32
23 45.75 126.65|31 31.23 121.47|32 32.06 118.80|33 30.27 120.15|34 31.86 117.28|35 26.08 119.30|36 28.68 115.86
37 36.65 117.00|41 34.76 113.65|42 30.59 114.30|43 28.23 112.94|44 23.13 113.26|45 22.82 108.32|46 20.04 110.34
50 29.56 106.55|51 30.57 104.07|52 26.65 106.63|53 25.04 102.71|54 29.65 91.13|61 34.34 108.94|62 36.06 103.83
63 36.62 101.78|64 38.47 106.27|65 43.83 87.62|71 25.04 121.56|81 22.32 114.17|82 22.20 113.55
23 53.48 122.34|23 48.37 134.30|65 37.77 75.23|65 48.06 86.40|46 16.83 112.34|15 41.96 101.07|15 50.78 121.50
54 32.50 80.10|54 31.48 79.80|54 28.66 97.46|63 38.25 90.85|62 39.63 94.34|53 24.00 97.85|53 22.60 103.66
"""


@pytest.mark.parametrize("seat", TRUE_PLACES.replace("\n", "|").strip("|").split("|"))
def test_true_places_lie_in_their_province_and_not_exchanged(seat: str) -> None:
    province, lat, lon = seat.split()
    nobody = Surroundings({}, {}, {})
    assert set_aside_places(rows((lat, lon), area=province), {}, nobody)[1] == []
    if float(lon) <= 90:
        assert len(set_aside_places(rows((lon, lat), area=province), {}, nobody)[1]) == 1
