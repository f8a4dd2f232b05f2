"""The kinds of panels of the dashboards, in Grafana's classic JSON model. Pure.

Each panel names the columns of its query; `grafana.fields` has their headings, units, words and colours.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from contract.glossary import word
from contract.said import Said
from grafana.fields import COLOURS, COLUMNS, DATASOURCE, HIDDEN, LEVELS, Json, matched, override, overrides
from grafana.looks import (
    EMPTY,
    NARROWEST,
    NO_DATA,
    Limits,
    cell,
    legend,
    number,
    series,
    stat_options,
    thresholds,
    without_value,
)
from grafana.palette import GREY, ORANGE

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
    """A number for each value of a family of words, which are the columns, in the colour of that value. 0 is grey."""
    made = panel("stat", title, [], language, options=stat_options("background"))
    made["targets"] = [_target(query, "A")]
    colours = COLOURS.get(family, {})
    made["fieldConfig"]["overrides"] = [
        matched(
            "byName",
            name,
            {
                "displayName": word(family, name, language),
                "color": {"mode": "fixed", "fixedColor": colours.get(name, ORANGE)},
                "mappings": [{"type": "value", "options": {"0": {"text": "0", "color": GREY, "index": 0}}}],
            },
        )
        for name in query.columns
    ]
    return made


def numbers(title: Said, query: PanelQuery, language: str, *, limits: Limits | None = None) -> Json:
    """The values of a single row as numbers. Only those with limits have the colours of good and bad; none has a
    colour without a value."""
    made = panel("stat", title, [query], language, options=stat_options("value"))
    made["fieldConfig"]["defaults"] |= {"color": {"mode": "thresholds"}, "thresholds": thresholds([])}
    made["fieldConfig"]["overrides"] = [
        override(name, language, **number(name, (limits or {}).get(name), language)) for name in query.columns
    ]
    return made


def table(
    title: Said,
    query: PanelQuery,
    language: str,
    *,
    link: Mapping[str, str] | None = None,
    none: Said = NO_DATA,
    hide: Sequence[str] = (),
) -> Json:
    """A table. `link`: of a column, the address to which a click on it leads; `none`: what it says without rows;
    `hide`: columns that are not shown."""
    made = panel("table", title, [query], language, options={"frameIndex": 0, "showHeader": True, "cellHeight": "sm"})
    made["fieldConfig"]["defaults"] = {"noValue": none.text(language), "custom": {"minWidth": NARROWEST}}
    made["fieldConfig"]["overrides"] = [
        override(
            name,
            language,
            noValue=EMPTY,
            **cell(name),
            **_linked((link or {}).get(name), title, language),
            **(HIDDEN if name in hide else {}),
        )
        for name in query.columns
    ]
    return made


def sorted_by(made: Json, column: str, language: str) -> Json:
    """A table in the falling order of a column, whatever the order of its query is."""
    order = [{"displayName": COLUMNS[column].label.text(language), "desc": True}]
    return {**made, "options": {**made["options"], "sortBy": order}}


def described(made: Json, text: Said, language: str) -> Json:
    """A panel with a text that a person sees when the pointer is on its title."""
    return {**made, "description": text.text(language)}


def states(title: Said, queries: Sequence[PanelQuery], language: str) -> Json:
    """A band for each query, coloured by its values."""
    made = panel("state-timeline", title, queries, language)
    made["options"] = {
        "mergeValues": True,
        "showValue": "auto",
        "rowHeight": 0.8,
        "legend": legend(False),
        "tooltip": _TOOLTIP,
    }
    made["fieldConfig"]["defaults"] |= {"custom": {"fillOpacity": 80, "lineWidth": 0}}
    return made


def lines(
    title: Said, query: PanelQuery, language: str, *, stacked_bars: bool = False, below: Sequence[str] = ()
) -> Json:
    """Curves over time, or bars on each other; a gap in the data is a gap in the curve. `below`: columns that are drawn
    downwards from zero. A column has a colour and a dash; of several series of a column each has a shade and a name."""
    made = panel("timeseries", title, [query], language)
    names = [name for name in query.columns if name not in ("time", "metric")]
    several = "metric" in query.columns
    made["fieldConfig"]["overrides"] = [
        override(name, language, **series(name, place, language, several=several, below=name in below))
        for place, name in enumerate(names)
    ]
    custom: Json = {"lineWidth": 1, "fillOpacity": 10, "spanNulls": False, "showPoints": "auto"}
    if stacked_bars:
        custom = {"drawStyle": "bars", "fillOpacity": 70, "lineWidth": 0, "stacking": {"mode": "normal", "group": "A"}}
    made["fieldConfig"]["defaults"] |= {"custom": custom}
    made["options"] = {"legend": legend(True), "tooltip": {"mode": "multi", "sort": "desc"}}
    return made


def markers(
    title: Said,
    query: PanelQuery,
    language: str,
    *,
    colour: str,
    size: str,
    text: str,
    bounds: Sequence[float] = (),
) -> Json:
    """Points on a map: the column `colour` colours them, by its words or its `bounds`; `size` sizes them, and `text` is
    beside them.

    Nothing is clustered: a cluster has the mean of its colours, in which a station without service disappears."""
    made = panel("geomap", title, [query], language)
    steps: Json = {"color": {"mode": "thresholds"}, "thresholds": thresholds(bounds)}
    if bounds:  # what is not known is neither good nor bad
        steps["mappings"] = without_value(language)
    made["fieldConfig"]["overrides"].append(matched("byName", colour, steps))
    style = {
        "color": {"field": colour, "fixed": GREY},
        "size": {"field": size, "fixed": 6, "min": 5, "max": 18},
        "opacity": 0.8,
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
        "text": {"field": text, "fixed": "", "mode": "field"},
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


def _linked(address: str | None, title: Said, language: str) -> Json:
    return {} if address is None else {"links": [{"title": title.text(language), "url": address}]}
