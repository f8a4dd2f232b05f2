"""The audited rates: what auditors and supervisors compare."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.looks import NONE
from grafana.panels import area_link, lines, numbers, station_link, table
from grafana.variables import AREA

_RATES: Final = ("online_rate", "service_rate", "coverage")


def draw(canvas: Canvas) -> list[Rank]:
    """The figures of the range, by day and month, the ranking, and what was revised."""
    language = canvas.language
    figures = numbers(
        Said("Of the time range", "所选时段"),
        canvas.query("figures", *_RATES, "unknown_h", "excused_h"),
        language,
        limits={"online_rate": (0.95, 0.8), "service_rate": (0.95, 0.8), "coverage": (0.95, 0.8)},
    )
    by_day = lines(Said("By local day", "按日"), canvas.query("by_day", "time", *_RATES, series=True), language)
    by_month = canvas.query("by_month", "month", *_RATES, "unknown_h", "frozen")
    ranking = canvas.query("ranking", "area", *_RATES, "lost_h", "unknown_h", "area1", "area2", "area3", "area4")
    revisions = canvas.query("revisions", "station", "name", "day", "revision", "causes", "before", "after", "recorded")
    link = {"station": station_link(language)}
    checkpoint = canvas.query("checkpoint", "entries", "root", "signed", "kept_until")
    return [
        Rank(4, [(24, figures)]),
        Rank(8, [(12, by_day), (12, table(Said("By month", "按月"), by_month, language))]),
        Rank(
            12,
            [
                (
                    24,
                    table(
                        Said("Areas, the lowest online rate first", "各地区（在线率由低到高）"),
                        ranking,
                        language,
                        link={"area": area_link()},
                    ),
                )
            ],
        ),
        Rank(8, [(24, table(Said("What became known later", "后续修订"), revisions, language, link=link, none=NONE))]),
        Rank(4, [(24, table(Said("Newest checkpoint of the ledger", "账本最新检查点"), checkpoint, language))]),
    ]


DASHBOARD: Final = Dashboard(
    name="uptime",
    title=Said("Milepost: uptime for auditors", "Milepost 在线率核定"),
    description=Said(
        "Online rate, service rate and coverage by area, day and month", "各地区按日、按月的在线率、服务率与可判定率"
    ),
    draw=draw,
    queries=view_queries(__file__),
    variables=AREA,
    begins="now-30d",
    refresh="5m",
)
