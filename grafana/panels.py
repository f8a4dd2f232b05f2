"""The kinds of panels of the dashboards, in Grafana's classic JSON model. Pure.

Each panel names the columns of its query; `grafana.fields` has their headings, units, words and colours.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from contract.glossary import word
from contract.said import Said
from grafana.fields import COLOURS, DATASOURCE, LEVELS, Json, matched, override, overrides
from grafana.palette import GREEN, GREY, ORANGE, VERMILION

NO_DATA: Final = Said("No data", "无数据")
_STATION_PAGE: Final = "milepost-station"
_TOOLTIP: Final = {"mode": "single", "sort": "none"}


class PanelQuery(msgspec.Struct, frozen=True):
    """A query of a panel and the columns that it returns. `series`: columns of time, not a table."""

    sql: str
    columns: tuple[str, ...]
    series: bool = False


def panel(kind: str, title: Said, queries: Sequence[PanelQuery], language: str, **more: Any) -> Json:
    """A panel of `kind`; `more` replaces fields that all panels share. The
    columns `time` and `metric` have no override."""
    names = dict.fromkeys(name for query in queries for name in query.columns if name not in ("time", "metric"))
    return {
        "type": kind,
        "title": title.text(language),
        "datasource": dict(DATASOURCE),
        "targets": [_target(query, chr(ord("A") + n)) for n, query in enumerate(queries)],
        "fieldConfig": {
            "defaults": {"noValue": NO_DATA.text(language)},
            "overrides": overrides(names, language),
        },
        "options": {},
        **more,
    }


def counts(title: Said, query: PanelQuery, family: str, language: str) -> Json:
    """A number for each value of a family of words, which are the columns, in the colour of that value."""
    made = panel("stat", title, [], language, options=_numbers("background"))
    made["targets"] = [_target(query, "A")]
    colours = COLOURS.get(family, {})
    made["fieldConfig"]["overrides"] = [
        matched(
            "byName",
            name,
            {
                "displayName": word(family, name, language),
                "color": {"mode": "fixed", "fixedColor": colours.get(name, GREY)},
            },
        )
        for name in query.columns
    ]
    return made


Limits = Mapping[str, Sequence[float]]
"""Of a column: from where its number is orange, and from where it is vermilion. If they fall, low numbers are bad."""


def numbers(title: Said, query: PanelQuery, language: str, *, limits: Limits | None = None) -> Json:
    """The values of a single row as numbers."""
    made = panel("stat", title, [query], language, options=_numbers("value"))
    made["fieldConfig"]["defaults"] |= {"color": {"mode": "thresholds"}, "thresholds": _thresholds([])}
    for name, bounds in (limits or {}).items():
        made["fieldConfig"]["overrides"].append(matched("byName", name, {"thresholds": _thresholds(bounds)}))
    return made


def table(title: Said, query: PanelQuery, language: str, *, link: Mapping[str, str] | None = None) -> Json:
    """A table. `link`: of a column, the address to which a click on it leads."""
    made = panel("table", title, [query], language, options={"frameIndex": 0, "showHeader": True, "cellHeight": "sm"})
    made["fieldConfig"]["overrides"] = [
        override(name, language, **_cell(name), **_linked((link or {}).get(name), title, language))
        for name in query.columns
    ]
    return made


def states(title: Said, queries: Sequence[PanelQuery], language: str) -> Json:
    """A band for each query, coloured by its values."""
    made = panel("state-timeline", title, queries, language)
    made["options"] = {
        "mergeValues": True,
        "showValue": "auto",
        "rowHeight": 0.8,
        "legend": _legend(False),
        "tooltip": _TOOLTIP,
    }
    made["fieldConfig"]["defaults"] |= {"custom": {"fillOpacity": 80, "lineWidth": 0}}
    return made


def lines(title: Said, query: PanelQuery, language: str, *, stacked_bars: bool = False) -> Json:
    """Curves over time, or bars on each other; a gap in the data is a gap in the curve."""
    made = panel("timeseries", title, [query], language)
    custom: Json = {"lineWidth": 1, "fillOpacity": 10, "spanNulls": False, "showPoints": "auto"}
    if stacked_bars:
        custom = {"drawStyle": "bars", "fillOpacity": 70, "lineWidth": 0, "stacking": {"mode": "normal", "group": "A"}}
    made["fieldConfig"]["defaults"] |= {"custom": custom}
    made["options"] = {"legend": _legend(True), "tooltip": {"mode": "multi", "sort": "desc"}}
    return made


def markers(title: Said, query: PanelQuery, language: str, *, colour: str, size: str) -> Json:
    """Points on a map: the column `colour` colours them and `size` sizes them.

    Nothing is clustered: a cluster has the mean of its colours, in which a station without service disappears."""
    made = panel("geomap", title, [query], language)
    style = {
        "color": {"field": colour, "fixed": GREY},
        "size": {"field": size, "fixed": 6, "min": 5, "max": 18},
        "opacity": 0.8,
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
        "text": {"field": "name", "fixed": "", "mode": "field"},
    }
    made["options"] = {
        "view": {"id": "fit", "lat": 0, "lon": 0, "zoom": 4, "allLayers": True},
        "controls": {"showZoom": True, "mouseWheelZoom": True, "showAttribution": True, "showScale": True},
        "basemap": {"type": "default", "name": "basemap"},
        "layers": [
            {
                "type": "markers",
                "name": title.text(language),
                "tooltip": True,
                "location": {"mode": "coords", "latitude": "latitude", "longitude": "longitude"},
                "config": {"showLegend": True, "style": style},
            }
        ],
        "tooltip": {"mode": "details"},
    }
    return made


def row(title: Said, language: str) -> Json:
    """A heading between panels."""
    return {"type": "row", "title": title.text(language), "collapsed": False, "panels": []}


def station_link(language: str) -> str:
    """The address of the dashboard of the station in the same row."""
    return (
        f"/d/{_STATION_PAGE}-{language.partition('-')[0]}?${{__url_time_range}}&var-station=${{__data.fields.station}}"
    )


def area_link() -> str:
    """The address of the same dashboard with the area of the same row chosen."""
    values = "&".join(f"var-{level}=${{__data.fields.{level}}}" for level in LEVELS)
    return "/d/${__dashboard.uid}?${__url_time_range}&" + values


def console_link(path: str, column: str) -> str:
    """The address of a page of the console about the value of a column in the same row."""
    return "${console}" + path + "${__data.fields." + column + "}"


def _target(query: PanelQuery, ref: str) -> Json:
    """A query in the format of the code editor of the PostgreSQL data source."""
    return {
        "refId": ref,
        "datasource": dict(DATASOURCE),
        "editorMode": "code",
        "format": "time_series" if query.series else "table",
        "rawQuery": True,
        "rawSql": query.sql,
    }


def _cell(name: str) -> Json:
    return {"custom.cellOptions": {"type": "color-text"}} if name in ("verdict", "severity") else {}


def _linked(address: str | None, title: Said, language: str) -> Json:
    return {} if address is None else {"links": [{"title": title.text(language), "url": address}]}


def _thresholds(bounds: Sequence[float]) -> Json:
    """Steps for Grafana: green, then orange, then vermilion; the other way round if the bounds fall."""
    colours = (GREEN, ORANGE, VERMILION)
    if len(bounds) > 1 and bounds[0] > bounds[1]:
        bounds, colours = tuple(reversed(bounds)), (VERMILION, ORANGE, GREEN)
    steps: list[Json] = [{"value": None, "color": colours[0]}]
    steps += [{"value": bound, "color": colour} for bound, colour in zip(bounds, colours[1:], strict=False)]
    return {"mode": "absolute", "steps": steps}


def _numbers(colour_mode: str) -> Json:
    return {
        "colorMode": colour_mode,
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "value_and_name",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False},
    }


def _legend(show: bool) -> Json:
    return {"displayMode": "list", "placement": "bottom", "showLegend": show, "calcs": []}
