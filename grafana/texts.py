"""Titles, headings and columns of the dashboards, in both languages; the words of values are those of
`contract.glossary`. Pure."""

from typing import Final

LANGUAGES: Final = ("zh-CN", "en")

_TEXTS: Final = {
    "title": ("Milepost 总览", "Milepost overview"),
    "description": (
        "服务点在线情况、当前故障与平台自身状态",
        "Service points, what is wrong now, and the platform itself",
    ),
    "area": ("行政区划", "Area"),
    "everywhere": ("全部", "Everywhere"),
    "station": ("服务点", "Station"),
    "other": ("English", "中文"),
    "counts": ("服务点数量", "Stations by verdict"),
    "worst": ("离线最久的服务点", "Longest without service"),
    "incidents": ("当前故障", "Wrong now"),
    "blind_spots": ("盲点", "Blind spots"),
    "share": (
        "在线服务点占比（含不可用；实时判定，不作考核）",
        "Share of stations online, usable or not (live, not the audited rate)",
    ),
    "clocks": ("平台时钟", "Pipeline clocks"),
    "gaps": ("平台失明时段", "When the platform itself was blind"),
    "station_row": ("服务点：$station", "Station $station"),
    "station_now": ("当前判定", "Verdict now"),
    "station_states": ("状态时间线", "States"),
    "station_health": ("终端负载", "Load of its terminals"),
    "station_link": ("链路时延与温度", "Round trip and temperature"),
    "column.name": ("名称", "Name"),
    "column.verdict": ("判定", "Verdict"),
    "column.since": ("自", "Since"),
    "column.lasts": ("持续", "For"),
    "column.clears": ("消除条件", "Cleared when"),
    "column.id": ("编号", "No."),
    "column.kind": ("类别", "Kind"),
    "column.place": ("位置", "Where"),
    "column.status": ("状态", "Status"),
    "column.began": ("开始", "Began"),
    "column.ended": ("结束", "Ended"),
    "column.owner": ("处理人", "Owner"),
    "column.shard": ("分片", "Shard"),
    "column.partitions": ("分区数", "Partitions"),
    "column.age": ("时钟滞后", "Behind by"),
    "column.doubtful": ("不可信分区", "Not to be trusted"),
    "column.reason": ("原因", "Reason"),
    "column.share": ("在线占比", "Online"),
    "column.state": ("服务点", "Station"),
    "column.pipeline": ("平台", "Platform"),
    "column.usable": ("可用", "Usable"),
    "column.doubt": ("未知原因", "Unknown because"),
    "seen": ("正常", "Seeing"),
    "true": ("是", "yes"),
    "false": ("否", "no"),
}


def text(key: str, language: str) -> str:
    """The text of `key` in a language; KeyError when it is not in the table."""
    return _TEXTS[key][LANGUAGES.index(language)]
