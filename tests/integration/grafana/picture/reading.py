"""Draws dashboards from a database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from grafana.dashboard import Dashboard
from tests.integration.grafana.grafana_macros import ALL, expand
from tests.integration.grafana.picture.charts import Drawn
from tests.integration.grafana.picture.page import page
from tests.integration.grafana.picture.panels import Answer, Window, draw_panel

_POINTS = 300
_DAYS = {"h": 1 / 24, "d": 1, "y": 365}


async def draw_dashboard(
    connection: asyncpg.Connection, dashboard: Dashboard, language: str, *, now: datetime, station: str
) -> tuple[str, dict[str, int]]:
    """The page of a dashboard, and the marks that each of its panels has, by title. Everything is chosen."""
    built = dashboard.build(language)
    begin, end = now + _after_now(dashboard.begins), now + _after_now(dashboard.ends)
    drawn: list[Drawn] = []
    for panel in built["panels"]:
        sqls = [target["rawSql"] for target in panel.get("targets", ())]
        seconds = int((end - begin).total_seconds()) // _POINTS
        asked = [expand(sql, begin=begin, end=end, seconds=seconds, **{**ALL, "station": station}) for sql in sqls]
        answers = [await _answer(connection, sql) for sql in asked]
        drawn.append(draw_panel(_named(panel, station), answers, Window(begin.timestamp(), end.timestamp())))
    marks = {panel["title"]: each.marks for panel, each in zip(built["panels"], drawn, strict=True)}
    return page(built, drawn, language), marks


def _after_now(moment: str) -> timedelta:
    """How long after now a moment in Grafana's words is, as `now-7d`."""
    rest = moment.removeprefix("now")
    return timedelta(days=int(rest[:-1]) * _DAYS[rest[-1]]) if rest else timedelta()


async def _answer(connection: asyncpg.Connection, sql: str) -> Answer:
    statement = await connection.prepare(sql)
    names: Sequence[str] = [each.name for each in statement.get_attributes()]
    return Answer(names, [dict(row) for row in await statement.fetch()])


def _named(panel: dict[str, Any], station: str) -> dict[str, Any]:
    return {**panel, "title": panel["title"].replace("$station", station)}
