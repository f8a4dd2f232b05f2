"""Terminals: what works, what is faulty, what is to be replaced."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.looks import NONE
from grafana.panels import lines, numbers, station_link, table


def draw(canvas: Canvas) -> list[Rank]:
    """Counts, faults, versions, and replacement."""
    language = canvas.language
    to_station = {"station": station_link(language)}
    standing = canvas.query("standing", "terminals", "working", "refresh_late", "refresh_soon")
    types = canvas.query("types", "type", "terminals", "down")
    agents = canvas.query("agents", "agent", "terminals", "seen")
    refresh = canvas.query("refresh", "time", "terminals", series=True)
    faults = canvas.query("faults", "station", "name", "terminal", "rule", "severity", "value", "since")
    late = canvas.query("late", "station", "name", "terminal", "type", "refresh")
    return [
        Rank(
            4,
            [(24, numbers(Said("Terminals", "终端"), standing, language, limits={"refresh_late": (1, 1000)}))],
        ),
        Rank(
            10,
            [
                (
                    24,
                    table(
                        Said("Faults of terminals now", "终端当前问题"), faults, language, link=to_station, none=NONE
                    ),
                )
            ],
        ),
        Rank(
            9,
            [
                (8, table(Said("By type", "按类型"), types, language)),
                (8, table(Said("Agents, the rarest version first", "代理版本（由少到多）"), agents, language)),
                (8, lines(Said("To be replaced, by month", "按月更新计划"), refresh, language, stacked_bars=True)),
            ],
        ),
        Rank(
            9,
            [
                (
                    24,
                    table(
                        Said("Should have been replaced", "已过更新期限"), late, language, link=to_station, none=NONE
                    ),
                )
            ],
        ),
    ]


DASHBOARD: Final = Dashboard(
    name="equipment",
    title=Said("Milepost: equipment and replacement", "Milepost 设备与更新"),
    description=Said("Terminals that work, faults, versions, replacement", "终端运行、问题、版本与更新"),
    draw=draw,
    queries=view_queries(__file__),
    begins="now-1y",
    ends="now+3y",
    refresh="5m",
)
