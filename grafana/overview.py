"""The overview dashboard, one file for each language: `python -m grafana.overview` writes both.

There are two dashboards, because titles and headings cannot depend on a variable in Grafana.
"""

import json
from pathlib import Path
from typing import Any, Final

from grafana import panels
from grafana.panels import DATASOURCE, Json
from grafana.texts import LANGUAGES, text
from store.sql import load_queries

QUERIES: Final = load_queries(Path(__file__).with_name("panels.sql"))
FOLDER: Final = Path(__file__).with_name("dashboards")
SCHEMA: Final = 39
"""The version of Grafana's JSON model (Grafana 11); newer versions of Grafana convert it when they load it."""


def build(language: str) -> Json:
    """The dashboard in Grafana's JSON model. Raises KeyError or AttributeError for a text or query that is missing."""
    return {
        "uid": uid(language),
        "title": text("title", language),
        "description": text("description", language),
        "tags": ["milepost"],
        "timezone": "browser",
        "editable": False,
        "refresh": "1m",
        "schemaVersion": SCHEMA,
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_variable("area", language), _variable("station", language)]},
        "annotations": {"list": []},
        "links": [_other(language)],
        "panels": _numbered(_placed(language)),
    }


def uid(language: str) -> str:
    """The uid of the dashboard, by which links and updates find it."""
    return f"milepost-overview-{language.partition('-')[0]}"


def path_of(language: str, folder: Path = FOLDER) -> Path:
    """The file of the dashboard."""
    return folder / f"overview.{language}.json"


def render(language: str) -> str:
    """The text of the file."""
    return json.dumps(build(language), ensure_ascii=False, indent=2) + "\n"


def query(name: str, language: str) -> str:
    """The SQL of a panel or variable without comments, with the parts that depend on the language filled in."""
    lines = getattr(QUERIES, name).splitlines()
    sql = "\n".join(line for line in lines if not line.startswith("--"))
    column = "name_en" if language == "en" else "name"
    return sql.replace("{name}", column).replace("{everywhere}", text("everywhere", language))


def _placed(language: str) -> list[Json]:
    """The panels with their positions on a grid of 24 columns."""

    def sql(name: str) -> str:
        return query(name, language)

    worst = ("station", "name", "area", "verdict", "since", "lasts")
    incidents = ("id", "kind", "place", "name", "status", "began", "owner")
    spots = ("kind", "area", "station", "name", "since", "lasts", "clears")
    clocks = ("shard", "partitions", "age", "doubtful", "since")
    gaps = ("shard", "began", "ended", "lasts", "reason", "partitions")
    heading = panels.row(text("station_row", language))
    return [
        _at(panels.counts(sql("counts"), language), 0, 0, 24, 4),
        _at(panels.table("worst", sql("worst"), language, worst, link="station"), 0, 4, 12, 9),
        _at(panels.table("incidents", sql("incidents"), language, incidents), 12, 4, 12, 9),
        _at(panels.table("blind_spots", sql("blind_spots"), language, spots, link="station"), 0, 13, 24, 7),
        _at(_share(sql("share"), language), 0, 20, 12, 8),
        _at(panels.table("clocks", sql("clocks"), language, clocks), 12, 20, 12, 4),
        _at(panels.table("gaps", sql("gaps"), language, gaps), 12, 24, 12, 4),
        _at(heading, 0, 28, 24, 1),
        _at(panels.now(sql("station_now"), language), 0, 29, 6, 6),
        _at(panels.states([sql("station_states"), sql("station_gaps")], language), 6, 29, 18, 6),
        _at(panels.lines("station_health", sql("station_health"), language, unit="percentunit"), 0, 35, 12, 8),
        _at(panels.lines("station_link", sql("station_link"), language), 12, 35, 12, 8),
    ]


def _share(sql: str, language: str) -> Json:
    made = panels.lines("share", sql, language, unit="percentunit")
    made["fieldConfig"]["defaults"]["displayName"] = text("column.share", language)
    return made


def _at(panel: Json, x: int, y: int, w: int, h: int) -> Json:
    return {**panel, "gridPos": {"x": x, "y": y, "w": w, "h": h}}


def _numbered(made: list[Json]) -> list[Json]:
    return [{"id": number, **panel} for number, panel in enumerate(made, start=1)]


def _variable(name: str, language: str) -> Json:
    sql = query(f"{name}s", language)
    chosen: dict[str, Any] = {"text": text("everywhere", language), "value": "*"} if name == "area" else {}
    return {
        "type": "query",
        "name": name,
        "label": text(name, language),
        "datasource": dict(DATASOURCE),
        "query": sql,
        "refresh": 1,
        "sort": 0,
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "skipUrlSync": False,
        "options": [],
        "current": chosen,
    }


def _other(language: str) -> Json:
    """A link to the dashboard in the other language, with the same time range and station."""
    (other,) = (candidate for candidate in LANGUAGES if candidate != language)
    return {
        "type": "link",
        "title": text("other", language),
        "url": f"/d/{uid(other)}",
        "keepTime": True,
        "includeVars": True,
        "targetBlank": False,
        "asDropdown": False,
        "icon": "external link",
        "tags": [],
        "tooltip": "",
    }


if __name__ == "__main__":
    for each in LANGUAGES:
        path_of(each).write_text(render(each), encoding="utf-8")
