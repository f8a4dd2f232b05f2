"""A dashboard: its panels in rows on Grafana's grid, its variables, and its files. Pure but for
`view_queries`.

There is a dashboard for each language, because titles and headings cannot depend on a variable in Grafana.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from contract.said import Said
from grafana.annotations import annotations
from grafana.fields import Json
from grafana.panels import PanelQuery
from grafana.variables import FILTERS, link_values, sql_of, variable
from store.sql import Queries, load_queries

LANGUAGES: Final = ("zh-CN", "en")
TAG: Final = "milepost"
WIDTH: Final = 24
"""Columns of Grafana's grid."""
SCHEMA: Final = 42
"""The version of Grafana's classic JSON model; Grafana 11 to 13 take it."""
_OTHER: Final = Said("中文", "English")
_LINKS: Final = Said("Dashboards", "仪表盘")
_CONSOLE: Final = Said("Console", "控制台")

Draw = Callable[["Canvas"], "list[Rank]"]


class Rank(msgspec.Struct, frozen=True):
    """Panels beside each other: each with its width of the 24 columns; `height` in rows of the grid."""

    height: int
    panels: Sequence[tuple[int, Json]]


class Canvas(msgspec.Struct, frozen=True):
    """A dashboard in one language while it is drawn: gives the queries of its file."""

    language: str
    queries: Queries

    def query(self, name: str, *columns: str, series: bool = False) -> PanelQuery:
        """A query and its columns, in their order. Raises AttributeError for a query that does not exist."""
        return PanelQuery(sql_of(getattr(self.queries, name), self.language), columns, series)


class Dashboard(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard. `name`: of its files and in its uid; `draw` gives its panels; `queries`: its SQL."""

    name: str
    title: Said
    description: Said
    draw: Draw
    queries: Queries
    variables: tuple[str, ...] = FILTERS
    begins: str = "now-24h"
    ends: str = "now"
    refresh: str = "1m"

    def uid(self, language: str) -> str:
        """The uid of the dashboard, by which links and updates find it."""
        return f"milepost-{self.name}-{language.partition('-')[0]}"

    def build(self, language: str) -> Json:
        """The dashboard in Grafana's JSON model. Raises KeyError or AttributeError for a missing column or query."""
        return {
            "uid": self.uid(language),
            "title": self.title.text(language),
            "description": self.description.text(language),
            "tags": [TAG, f"{TAG}-{language}"],
            "timezone": "browser",
            "editable": False,
            "graphTooltip": 1,
            "refresh": self.refresh,
            "schemaVersion": SCHEMA,
            "time": {"from": self.begins, "to": self.ends},
            "templating": {"list": [variable(name, language) for name in (*self.variables, "console")]},
            "annotations": {"list": annotations(self.variables, language)},
            "links": self._links(language),
            "panels": _numbered(_placed(self.draw(Canvas(language, self.queries)))),
        }

    def render(self, language: str) -> str:
        """The text of its file."""
        return json.dumps(self.build(language), ensure_ascii=False, indent=2) + "\n"

    def _links(self, language: str) -> list[Json]:
        """To all dashboards of the language, to the console, and to this one in the other language."""
        (other,) = (candidate for candidate in LANGUAGES if candidate != language)
        values = link_values(self.variables)
        return [
            _link("dashboards", _LINKS.text(language), tags=[f"{TAG}-{language}"], asDropdown=True, includeVars=True),
            _link("link", _CONSOLE.text(language), url="${console}/", targetBlank=True, keepTime=False),
            _link("link", _OTHER.text(language), url=f"/d/{self.uid(other)}?{values}"),
        ]


def view_queries(module_file: str) -> Queries:
    """The SQL file beside the module of a dashboard, with the same name."""
    return load_queries(Path(module_file).with_suffix(".sql"))


def _link(kind: str, title: str, **more: Any) -> Json:
    return {
        "type": kind,
        "title": title,
        "url": "",
        "keepTime": True,
        "includeVars": False,
        "targetBlank": False,
        "asDropdown": False,
        "icon": "external link",
        "tags": [],
        "tooltip": "",
        **more,
    }


def _placed(ranks: Sequence[Rank]) -> list[Json]:
    """The panels with their positions. Raises ValueError for panels that are wider than the grid together."""
    placed, top = [], 0
    for rank in ranks:
        left = 0
        for width, made in rank.panels:
            placed.append({**made, "gridPos": {"x": left, "y": top, "w": width, "h": rank.height}})
            left += width
        if left > WIDTH:
            raise ValueError(f"panels of {left} columns do not fit beside each other: give them {WIDTH} together")
        top += rank.height
    return placed


def _numbered(made: Sequence[Json]) -> list[Json]:
    return [{"id": number, **each} for number, each in enumerate(made, start=1)]
