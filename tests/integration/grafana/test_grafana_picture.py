"""Pictures of the dashboards: every panel is drawn from its query, and no text of it is cut."""

import re
from typing import Any

import pytest

from grafana.dashboard import LANGUAGES, Dashboard
from grafana.files import DASHBOARDS
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- the fixture
from tests.integration.grafana.grafana_world import STATION
from tests.integration.grafana.picture.fields import columns_of, series_of
from tests.integration.grafana.picture.page import WIDTH
from tests.integration.grafana.picture.panels import Answer, Window, draw_panel
from tests.integration.grafana.picture.reading import draw_dashboard
from tests.integration.grafana.picture.units import formatted
from tests.integration.grafana.test_grafana_queries import Reader, panels_of, plain_reader  # noqa: F401 -- the fixture

CODE = re.compile(r">([a-z]+(?:_[a-z]+)+)<")
CUT = """[...document.querySelectorAll('h3, th, .stat span, .table')].filter(
    each => each.scrollWidth > each.clientWidth).map(each => each.closest('section').innerText.split('\\n')[0] + ': '
    + each.innerText.slice(0, 40))"""
"""Titles, headings and names that are longer than their places, and tables that are wider than theirs."""
WINDOW = Window(0, 86_400)


async def drawn(reader: Reader, dashboard: Dashboard, language: str) -> tuple[str, dict[str, int]]:
    world, connection = reader
    return await draw_dashboard(connection, dashboard, language, now=world.now, station=STATION)


def some_panel(kind: str, language: str = "en") -> dict[str, Any]:
    return next(panel for dashboard in DASHBOARDS for panel in panels_of(dashboard, language) if panel["type"] == kind)


async def test_every_panel_is_drawn_in_both_languages(plain_reader: Reader) -> None:  # noqa: F811
    for dashboard in DASHBOARDS:
        for language in LANGUAGES:
            html, marks = await drawn(plain_reader, dashboard, language)
            assert [title for title, number in marks.items() if not number] == [], dashboard.name
            # The names of tables are the words for these.
            assert dashboard.name == "pipeline" or CODE.findall(html) == []


async def test_no_text_is_cut(plain_reader: Reader, browser: Any) -> None:  # noqa: F811
    screen = await browser.new_page(viewport={"width": WIDTH, "height": 800})
    for dashboard in DASHBOARDS:
        for language in LANGUAGES:
            html, _ = await drawn(plain_reader, dashboard, language)
            await screen.set_content(html)
            assert await screen.evaluate(CUT) == [], (dashboard.name, language)
    await screen.set_content(html.replace("Largest tables", "Largest tables" * 40))
    assert await screen.evaluate(CUT), "what is cut is found"


def test_a_kind_of_panel_that_is_not_known_is_noticed() -> None:
    for changed in ({"type": "gauge"}, {"transformations": [{"id": "merge"}]}):
        with pytest.raises(ValueError, match="not drawn"):
            draw_panel({**some_panel("stat"), **changed}, [], WINDOW)


@pytest.mark.parametrize("kind", ["stat", "table", "timeseries", "geomap"])
def test_a_panel_without_rows_has_no_marks_and_says_so(kind: str) -> None:
    panel = some_panel(kind)
    names = [each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]]
    made = draw_panel(panel, [Answer(list(dict.fromkeys(names)), [])], WINDOW)
    assert made.marks == 0
    assert panel["fieldConfig"]["defaults"]["noValue"] in made.html


def test_a_value_is_shown_by_its_mapping_or_its_unit_and_thresholds() -> None:
    counts, standing = (each for each in panels_of(DASHBOARDS[0], "en") if each["type"] == "stat")
    (online,) = columns_of(counts, [{"online": 0}], ["online"])
    assert online.show(0).colour != online.show(1).colour
    (share,) = columns_of(standing, [{"share": None}], ["share"])
    texts = [share.show(value) for value in (None, 0.5, 0.9, 0.97)]
    assert [shown.text for shown in texts] == ["No data", "50.00%", "90.00%", "97.00%"]
    assert len({shown.colour for shown in texts}) == len(texts)


def test_series_of_several_terminals_are_told_apart_by_their_names() -> None:
    station = next(each for each in DASHBOARDS if each.name == "station")
    panel = next(each for each in panels_of(station, "en") if each["type"] == "timeseries")
    rows = [{"time": 60, "metric": metric, "cpu": 0.5, "mem": 0.2, "disk": 0.1} for metric in ("001", "002")]
    moments, fields = series_of(panel, rows, list(rows[0]))
    assert moments == [60]
    assert len({field.title for field in fields}) == len(fields) == 6


def test_texts_are_escaped() -> None:
    panel = next(each for each in panels_of(DASHBOARDS[0], "en") if each["type"] == "table")
    names = [each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]]
    made = draw_panel(panel, [Answer(names, [dict.fromkeys(names, "<script>")])], WINDOW)
    assert "<script>" not in made.html
    assert "&lt;script&gt;" in made.html


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0.81304, "percentunit", 2, "81.30%"),
        (93_784, "dtdhms", None, "1 d 02:03:04"),
        (61, "dtdhms", None, "00:01:01"),
        (1.283, "suffix:h", 1, "1.3 h"),
        (1536, "bytes", None, "1.5 KiB"),
        (0, "bytes", None, "0 B"),
        (25.5, "none", None, "25.5"),
        (0, "dateTimeAsIso", None, "1970-01-01 08:00:00"),
    ],
)
def test_units(value: float, unit: str, decimals: int | None, text: str) -> None:
    assert formatted(value, unit, decimals) == text
