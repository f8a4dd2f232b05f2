"""The platform itself: whether what it says can be trusted."""

from typing import Final

from contract.said import Said
from grafana.dashboard import Canvas, Dashboard, Rank, view_queries
from grafana.looks import NONE
from grafana.panels import lines, numbers, table


def draw(canvas: Canvas) -> list[Rank]:
    """Clocks and processes, then what is behind, refused or set aside."""
    language = canvas.language
    standing = numbers(
        Said("Platform", "平台"),
        canvas.query("standing", "age", "doubtful", "lag", "waiting", "aside"),
        language,
        limits={"age": (30, 120), "doubtful": (1, 4), "lag": (10_000, 100_000), "aside": (1, 100)},
    )
    clocks = canvas.query("clocks", "shard", "partitions", "age", "doubtful", "since")
    processes = canvas.query("processes", "service", "instance", "role", "sign")
    consumers = canvas.query("consumers", "consumer", "topic", "partitions", "lag", "newest")
    gaps = canvas.query("gaps", "shard", "began", "ended", "lasts", "gap", "partitions")
    transitions = canvas.query("transitions", "time", "changes", series=True)
    refused = canvas.query("refused", "refused", "messages", "newest")
    aside = canvas.query("aside", "service", "thing", "subject", "why", "since")
    sizes = canvas.query("sizes", "table", "size")
    return [
        Rank(4, [(24, standing)]),
        Rank(
            8,
            [
                (12, table(Said("Pipeline clocks", "平台时钟"), clocks, language)),
                (12, table(Said("Processes", "进程"), processes, language)),
            ],
        ),
        Rank(
            8,
            [
                (10, table(Said("Not read yet", "积压"), consumers, language)),
                (14, table(Said("When the platform itself was blind", "平台失明时段"), gaps, language, none=NONE)),
            ],
        ),
        Rank(8, [(24, lines(Said("Changes judged", "判定的状态变化"), transitions, language, stacked_bars=True))]),
        Rank(
            8,
            [
                (16, table(Said("Refused messages", "被拒绝的消息"), refused, language, none=NONE)),
                (8, table(Said("Largest tables", "最大的数据表"), sizes, language)),
            ],
        ),
        Rank(8, [(24, table(Said("Set aside", "被搁置的对象"), aside, language, none=NONE))]),
    ]


DASHBOARD: Final = Dashboard(
    name="pipeline",
    title=Said("Milepost: the platform itself", "Milepost 平台自身"),
    description=Said(
        "Clocks, lag, gaps, processes, refused messages, delivery, disk",
        "时钟、积压、失明时段、进程、被拒消息、通知与磁盘",
    ),
    draw=draw,
    queries=view_queries(__file__),
    variables=(),
    begins="now-24h",
)
