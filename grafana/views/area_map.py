"""Where stations are down."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.looks import NONE
from grafana.panels import markers, numbers, sorted_by, station_link, table


def draw(canvas: Canvas) -> list[Rank]:
    """Areas and stations on two maps, and the same stations as a table for those who do not see the map."""
    language = canvas.language
    areas = canvas.query("areas", "name", "latitude", "longitude", "stations", "down", "not_down")
    down = canvas.query("down", "station", "name", "latitude", "longitude", "verdict", "since", "lasts")
    nowhere = canvas.query("nowhere", "stations")
    of_areas = markers(
        Said("Areas: share of stations that are not down", "各地区未中断服务点占比"),
        areas,
        language,
        colour="not_down",
        size="down",
        text="name",
        bounds=(0.95, 0.8),
    )
    of_stations = markers(
        Said("Stations that are down", "中断的服务点"), down, language, colour="verdict", size="lasts", text="verdict"
    )
    listed = table(
        Said("The same stations as a table", "上述服务点列表"),
        down,
        language,
        link={"station": station_link(language)},
        none=NONE,
        hide=("latitude", "longitude"),
    )
    missing = numbers(Said("Without a place in the registry", "登记中无坐标的服务点"), nowhere, language)
    return [
        Rank(18, [(12, of_areas), (12, of_stations)]),
        Rank(9, [(18, sorted_by(listed, "lasts", language)), (6, missing)]),
    ]


DASHBOARD: Final = Dashboard(
    name="map",
    title=Said("Milepost: map", "Milepost 地图"),
    description=Said("Where stations are down", "哪里的服务点中断"),
    draw=draw,
    queries=view_queries(__file__),
)
