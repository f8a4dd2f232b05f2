"""Everything about one station."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.looks import NONE
from grafana.panels import console_link, lines, numbers, row, states, table
from grafana.variables import AREA


def draw(canvas: Canvas) -> list[Rank]:
    """Now, its states, its machine, its use, its audited days, and what people did."""
    language = canvas.language
    to_incident = {"id": console_link("/incidents/", "id")}
    now = numbers(Said("Verdict now", "当前判定"), canvas.query("now", "verdict", "since", "usable", "doubt"), language)
    bands = [canvas.query("states", "time", "state"), canvas.query("gaps", "time", "pipeline")]
    health = canvas.query("health", "time", "metric", "cpu", "mem", "disk", series=True)
    link = canvas.query("link", "time", "metric", "rtt", "temp", series=True)
    usage = canvas.query("usage", "time", "sessions", "minutes", series=True)
    days = canvas.query("days", "day", "online_rate", "service_rate", "coverage", "unknown_h", "excused_h", "revision")
    incidents = canvas.query("incidents", "id", "kind", "status", "began", "ended", "owner")
    repairs = canvas.query("repairs", "id", "began", "made_by", "cause", "outcome", "ended")
    terminals = canvas.query("terminals", "terminal", "type", "state", "seen", "agent", "model", "os", "refresh")
    return [
        Rank(1, [(24, row(Said("Station $station", "服务点：$station"), language))]),
        Rank(6, [(10, now), (14, states(Said("States", "状态时间线"), bands, language))]),
        Rank(
            8,
            [
                (12, lines(Said("Load of its terminals", "终端负载"), health, language)),
                (12, lines(Said("Round trip and temperature", "链路时延与温度"), link, language)),
            ],
        ),
        Rank(
            8,
            [
                (12, lines(Said("Use by hour", "每小时使用情况"), usage, language)),
                (12, table(Said("Audited days", "核定日指标"), days, language)),
            ],
        ),
        Rank(6, [(24, table(Said("Terminals", "终端"), terminals, language))]),
        Rank(
            9,
            [
                (12, table(Said("Incidents", "故障"), incidents, language, link=to_incident, none=NONE)),
                (12, table(Said("Repairs", "维修"), repairs, language, link=to_incident, none=NONE)),
            ],
        ),
    ]


DASHBOARD: Final = Dashboard(
    name="station",
    title=Said("Milepost: station", "Milepost 服务点"),
    description=Said(
        "One station: states, machine, use, days, incidents, repairs",
        "单个服务点：状态、设备、使用、核定指标、故障与维修",
    ),
    draw=draw,
    queries=view_queries(__file__),
    variables=(*AREA, "station"),
    begins="now-7d",
)
