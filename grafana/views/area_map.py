"""Where stations are down."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.panels import markers, numbers, station_link, table


def draw(canvas: Canvas) -> list[Rank]:
    """Areas and stations on two maps, and the same stations as a table for those who do not see the map."""
    language = canvas.language
    areas = canvas.query("areas", "name", "latitude", "longitude", "stations", "down", "share")
    down = canvas.query("down", "station", "name", "latitude", "longitude", "verdict", "since", "lasts")
    nowhere = canvas.query("nowhere", "stations")
    of_areas = markers(
        Said("Areas: share of stations that work", "各地区正常服务点占比"), areas, language, colour="share", size="down"
    )
    of_stations = markers(
        Said("Stations that are down", "中断的服务点"), down, language, colour="verdict", size="lasts"
    )
    listed = table(
        Said("The same stations as a table", "上述服务点列表"), down, language, link={"station": station_link(language)}
    )
    missing = numbers(Said("Without a place in the registry", "登记中无坐标的服务点"), nowhere, language)
    return [Rank(18, [(12, of_areas), (12, of_stations)]), Rank(9, [(18, listed), (6, missing)])]


DASHBOARD: Final = Dashboard(
    name="map",
    title=Said("Milepost: map", "Milepost 地图"),
    description=Said("Where stations are down", "哪里的服务点中断"),
    draw=draw,
    queries=view_queries(__file__),
)
