"""How much the stations are used."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.fields import Json
from grafana.panels import area_link, described, lines, numbers, station_link, table

UTC_DAYS: Final = Said(
    "Days of use are days of UTC, which begin at 08:00 in China; the days of other figures are local days.",
    "使用情况按 UTC 日统计，每日自北京时间 08:00 起；其他指标按当地日统计。",
)


def draw(canvas: Canvas) -> list[Rank]:
    """Sums, days, areas with little use, stations with much use."""
    language = canvas.language
    totals = canvas.query("totals", "sessions", "minutes", "bytes", "stations")
    by_day = canvas.query("by_day", "time", "sessions", "minutes", series=True)
    by_area = canvas.query(
        "by_area", "area", "stations", "sessions", "minutes", "unused", "area1", "area2", "area3", "area4"
    )
    stations = canvas.query("stations", "station", "name", "sessions", "minutes", "bytes")
    by_use = table(
        Said("Areas, the least sessions a station first", "各地区（每点使用人次由低到高）"),
        by_area,
        language,
        link={"area": area_link()},
    )
    most_used = table(
        Said("Stations with the most sessions", "使用最多的服务点"),
        stations,
        language,
        link={"station": station_link(language)},
    )

    def utc(made: Json) -> Json:
        return described(made, UTC_DAYS, language)

    return [
        Rank(4, [(24, utc(numbers(Said("Of the time range", "所选时段"), totals, language)))]),
        Rank(8, [(24, utc(lines(Said("By day (UTC)", "按日（UTC）"), by_day, language)))]),
        Rank(12, [(12, utc(by_use)), (12, utc(most_used))]),
    ]


DASHBOARD: Final = Dashboard(
    name="usage",
    title=Said("Milepost: usage and effect", "Milepost 使用与成效"),
    description=Said("Sessions and minutes by day, area and station", "按日、地区、服务点的使用人次与时长"),
    draw=draw,
    queries=view_queries(__file__),
    begins="now-30d",
    refresh="5m",
)
