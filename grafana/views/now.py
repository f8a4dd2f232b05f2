"""What is wrong now, and where: the first dashboard of a supervisor."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.looks import NONE
from grafana.panels import area_link, console_link, counts, described, lines, numbers, station_link, table

COUNTED: Final = Said(
    "The share leaves out stations of which the platform knows nothing. Blind spots without an owner are counted too.",
    "在线占比不含状态未知的服务点；无人处理的数量包含盲点。",
)


def draw(canvas: Canvas) -> list[Rank]:
    """Counts, then who has been without service longest, then areas."""
    language = canvas.language
    by_verdict = canvas.query(
        "counts", "online", "unusable", "offline", "away", "closed", "excused", "unknown", "never_seen", "suspended"
    )
    standing = canvas.query("standing", "expected", "share", "incidents", "unowned", "spots")
    worst = canvas.query("worst", "station", "name", "area", "verdict", "since", "lasts")
    incidents = canvas.query("incidents", "id", "kind", "place", "status", "began", "lasts", "owner", "eta")
    areas = canvas.query("worst_areas", "area", "stations", "down", "not_down", "area1", "area2", "area3", "area4")
    share = canvas.query("share", "time", "share", series=True)
    limits = {"share": (0.95, 0.8), "unowned": (1, 20), "spots": (1, 20)}
    expected = numbers(
        Said("Should be open, and what is wrong", "应开放情况与待处理问题"), standing, language, limits=limits
    )
    return [
        Rank(4, [(24, counts(Said("Stations by verdict", "服务点数量"), by_verdict, "verdict", language))]),
        Rank(4, [(24, described(expected, COUNTED, language))]),
        Rank(
            10,
            [
                (
                    10,
                    table(
                        Said("Longest without service", "中断最久的服务点"),
                        worst,
                        language,
                        link={"station": station_link(language)},
                        none=NONE,
                        hide=("since",),
                    ),
                ),
                (
                    14,
                    table(
                        Said("Open incidents, the oldest first", "当前故障（按持续时间）"),
                        incidents,
                        language,
                        link={"id": console_link("/incidents/", "id")},
                        hide=("began",),
                        none=NONE,
                    ),
                ),
            ],
        ),
        Rank(
            9,
            [
                (
                    12,
                    table(
                        Said("Areas with the most stations down", "中断最多的地区"),
                        areas,
                        language,
                        link={"area": area_link()},
                        none=NONE,
                    ),
                ),
                (
                    12,
                    lines(
                        Said(
                            "Share of stations online, usable or not (live, not the audited rate)",
                            "在线服务点占比（含不可用；实时判定，不作考核）",
                        ),
                        share,
                        language,
                    ),
                ),
            ],
        ),
    ]


DASHBOARD: Final = Dashboard(
    name="overview",
    title=Said("Milepost: now", "Milepost 总览"),
    description=Said("Service points, and what is wrong now", "服务点在线情况与当前故障"),
    draw=draw,
    queries=view_queries(__file__),
)
