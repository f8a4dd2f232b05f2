"""Who has what, how fast people answer, and whether messages reach them."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.looks import NONE
from grafana.panels import console_link, lines, numbers, table
from grafana.variables import AREA

_TIMES: Final = ("acknowledge_mean", "acknowledge_median", "repair_mean", "repair_median")


def draw(canvas: Canvas) -> list[Rank]:
    """What needs a person now, the times of people, and the channels."""
    language = canvas.language
    to_incident = {"id": console_link("/incidents/", "id")}
    needs = {"unowned": (1, 20), "overdue": (1, 20), "escalated": (1, 20)}
    standing = canvas.query("standing", "unowned", "overdue", "escalated")
    times = canvas.query("times", "incidents", *_TIMES)
    by_day = canvas.query("by_day", "time", "acknowledge_mean", "repair_mean", series=True)
    by_kind = canvas.query("by_kind", "kind", "incidents", "acknowledge_mean", "repair_mean")
    causes = canvas.query("causes", "cause", "incidents")
    overdue = canvas.query("overdue", "id", "kind", "place", "owner", "eta", "late")
    unowned = canvas.query("unowned", "id", "kind", "place", "began", "lasts")
    channels = canvas.query("channels", "channel", "sent", "waiting", "failed")
    dead = canvas.query("dead_channels", "contact", "channel", "since", "reason")
    return [
        Rank(
            4,
            [
                (9, numbers(Said("Needs a person now", "需要处理"), standing, language, limits=needs)),
                (15, numbers(Said("Times of people (wall time)", "人员用时（自然时间）"), times, language)),
            ],
        ),
        Rank(
            10,
            [
                (
                    12,
                    table(
                        Said("Without an owner, the oldest first", "无人处理（按持续时间）"),
                        unowned,
                        language,
                        link=to_incident,
                        none=NONE,
                    ),
                ),
                (
                    12,
                    table(
                        Said("Later than promised", "超过预计恢复时间"), overdue, language, link=to_incident, none=NONE
                    ),
                ),
            ],
        ),
        Rank(8, [(24, lines(Said("Mean times by day", "按日平均用时"), by_day, language))]),
        Rank(
            8,
            [
                (14, table(Said("By kind", "按类别"), by_kind, language)),
                (10, table(Said("Causes found", "查明原因"), causes, language)),
            ],
        ),
        Rank(
            8,
            [
                (10, table(Said("Messages by channel", "各渠道消息"), channels, language)),
                (14, table(Said("Channels that take nothing", "失效渠道"), dead, language, none=NONE)),
            ],
        ),
    ]


DASHBOARD: Final = Dashboard(
    name="response",
    title=Said("Milepost: response", "Milepost 响应"),
    description=Said("Who has what, how fast people answer, channels", "故障处理人、响应速度与通知渠道"),
    draw=draw,
    queries=view_queries(__file__),
    variables=AREA,
    begins="now-30d",
)
