"""The kinds of panels of the dashboards, in Grafana's JSON model. Pure.

`sql` is a text with Grafana's macros. Queries return the words of the API; this module maps them to texts and colours.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contract.glossary import WORDS, word
from grafana.texts import text

Json = dict[str, Any]

DATASOURCE: Final = {"type": "grafana-postgresql-datasource", "uid": "milepost"}
COLOURS: Final = {
    "online": "green",
    "unusable": "orange",
    "offline": "red",
    "away": "yellow",
    "closed": "semi-dark-blue",
    "excused": "light-blue",
    "unknown": "purple",
    "never_seen": "blue",
    "suspended": "text",
    "seen": "transparent",
}
_FAMILIES: Final = ("status", "kind", "spot", "clears", "doubt", "gap")
"""Glossary families of the values that queries return, besides verdicts."""
_UNITS: Final = {"lasts": "s", "age": "s", "share": "percentunit", "rtt": "ms", "temp": "celsius"}


def panel(kind: str, title: str, queries: Sequence[str], language: str, **more: Any) -> Json:
    """A panel of `kind` over tables; `more` replaces fields that all panels share."""
    return {
        "type": kind,
        "title": text(title, language),
        "datasource": dict(DATASOURCE),
        "targets": [_target(sql, chr(ord("A") + n), "table") for n, sql in enumerate(queries)],
        "fieldConfig": {"defaults": {"mappings": mappings(language)}, "overrides": []},
        "options": {},
        **more,
    }


def counts(sql: str, language: str) -> Json:
    """One coloured number for each column."""
    fields = {name: colour for name, colour in COLOURS.items() if name != "seen"}
    overrides = [
        _override(name, displayName=word("verdict", name, language), color=_fixed(fields[name])) for name in fields
    ]
    return panel(
        "stat",
        "counts",
        [sql],
        language,
        fieldConfig={"defaults": {"unit": "none"}, "overrides": overrides},
        options=_numbers("background"),
    )


def table(title: str, sql: str, language: str, columns: Sequence[str], *, link: str | None = None) -> Json:
    """A table with headings in the language; a click on the column `link` selects the station."""
    made = panel("table", title, [sql], language, options={"showHeader": True, "cellHeight": "sm"})
    made["fieldConfig"]["overrides"] = [_column(name, language, linked=name == link) for name in columns]
    return made


def now(sql: str, language: str) -> Json:
    """The values of a single row, as words."""
    made = panel("stat", "station_now", [sql], language, options=_numbers("value") | {"textMode": "value_and_name"})
    made["fieldConfig"]["overrides"] = [_column(name, language) for name in ("verdict", "since", "usable", "doubt")]
    return made


def states(queries: Sequence[str], language: str) -> Json:
    """A band for each query, coloured by its values."""
    made = panel("state-timeline", "station_states", queries, language)
    made["options"] = {"mergeValues": True, "showValue": "auto", "rowHeight": 0.8, "legend": _legend(False)}
    made["fieldConfig"]["defaults"] |= {"custom": {"fillOpacity": 80, "lineWidth": 0}}
    made["fieldConfig"]["overrides"] = [_override(n, displayName=text(f"column.{n}", language)) for n in _BANDS]
    return made


_BANDS: Final = ("state", "pipeline")


def lines(title: str, sql: str, language: str, *, unit: str | None = None) -> Json:
    """Curves over time; a gap in the data is a gap in the curve."""
    made = panel("timeseries", title, [sql], language)
    made["targets"] = [_target(sql, "A", "time_series")]
    custom = {"lineWidth": 1, "fillOpacity": 10, "spanNulls": False, "showPoints": "auto"}
    made["fieldConfig"] = {"defaults": {"custom": custom}, "overrides": []}
    if unit == "percentunit":
        made["fieldConfig"]["defaults"] |= {"unit": unit, "min": 0, "max": 1}
    else:
        made["fieldConfig"]["overrides"] = [_by_regex(f"/{name}/", _UNITS[name]) for name in ("rtt", "temp")]
    made["options"] = {"legend": _legend(True), "tooltip": {"mode": "multi", "sort": "desc"}}
    return made


def row(title: str) -> Json:
    """A heading between panels."""
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def mappings(language: str) -> list[Json]:
    """The texts and colours of the values that queries return."""
    shown: dict[str, Json] = {}
    for name, colour in COLOURS.items():
        shown_text = text(name, language) if name == "seen" else word("verdict", name, language)
        shown[name] = {"text": shown_text, "index": len(shown), "color": colour}
    for name in ("true", "false"):
        shown[name] = {"text": text(name, language), "index": len(shown)}
    for family in _FAMILIES:
        for name in WORDS[family]:
            shown.setdefault(name, {"text": word(family, name, language), "index": len(shown)})
    return [{"type": "value", "options": shown}]


def _target(sql: str, ref: str, form: str) -> Json:
    """A query in the format of the code editor of the PostgreSQL data source."""
    return {
        "refId": ref,
        "datasource": dict(DATASOURCE),
        "editorMode": "code",
        "format": form,
        "rawQuery": True,
        "rawSql": sql,
    }


def _column(name: str, language: str, *, linked: bool = False) -> Json:
    label = "station" if name == "station" else "area" if name == "area" else f"column.{name}"
    properties: dict[str, Any] = {"displayName": text(label, language)}
    if name in _UNITS:
        properties["unit"] = _UNITS[name]
    if name in ("since", "began", "ended"):
        properties["unit"] = "dateTimeAsIso"
    if name == "verdict":
        properties["custom.cellOptions"] = {"type": "color-text"}
    if linked:
        address = "/d/${__dashboard.uid}?${area:queryparam}&${__url_time_range}&var-station=${__data.fields.station}"
        properties["links"] = [{"title": text("station_states", language), "url": address}]
    return _override(name, **properties)


def _override(field: str, **properties: Any) -> Json:
    return _matched("byName", field, properties)


def _by_regex(pattern: str, unit: str) -> Json:
    return _matched("byRegexp", pattern, {"unit": unit})


def _matched(matcher: str, options: str, properties: Mapping[str, Any]) -> Json:
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def _fixed(colour: str) -> Json:
    return {"mode": "fixed", "fixedColor": colour}


def _numbers(colour_mode: str) -> Json:
    return {
        "colorMode": colour_mode,
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False},
    }


def _legend(show: bool) -> Json:
    return {"displayMode": "list", "placement": "bottom", "showLegend": show, "calcs": []}
