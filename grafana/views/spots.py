"""Areas without working service, and how the programmes stand."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.looks import NONE
from grafana.panels import counts, described, lines, station_link, table
from grafana.variables import AREA

_KINDS: Final = ("uncovered", "dark", "shut", "idle", "stale", "no_wifi", "area_dark")

NOT_KNOWN: Final = Said(
    "Stations of which the platform knows nothing count as not down.", "状态未知的服务点不计入中断。"
)


def draw(canvas: Canvas) -> list[Rank]:
    """Counts by kind, the list, what was removed, and programmes."""
    language = canvas.language
    to_station = {"station": station_link(language)}
    by_kind = counts(
        Said("Open blind spots by kind", "各类盲点数量"), canvas.query("by_kind", *_KINDS), "spot", language
    )
    listed = canvas.query("open", "spot", "area", "station", "name", "since", "lasts", "clears")
    removed = canvas.query("removed", "time", "began_spots", "removed_spots", series=True)
    programmes = canvas.query("programmes", "programme", "stations", "down", "not_down")
    begun_and_removed = Said("Begun (up) and removed (down) by day", "每日新增（向上）与消除（向下）")
    return [
        Rank(4, [(24, by_kind)]),
        Rank(
            12,
            [(24, table(Said("Blind spots", "盲点"), listed, language, link=to_station, none=NONE))],
        ),
        Rank(
            9,
            [
                (12, lines(begun_and_removed, removed, language, stacked_bars=True, below=("removed_spots",))),
                (12, described(table(Said("Programmes", "工程"), programmes, language), NOT_KNOWN, language)),
            ],
        ),
    ]


DASHBOARD: Final = Dashboard(
    name="spots",
    title=Said("Milepost: blind spots and programmes", "Milepost 盲点与工程"),
    description=Said("Areas without working service, and programmes", "缺乏有效服务的地区与各工程情况"),
    draw=draw,
    queries=view_queries(__file__),
    variables=AREA,
    begins="now-90d",
)
