"""What people read on the dashboards, in both languages. Pure."""

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
    "share": ("在线服务点占比（实时判定，不作考核）", "Share of stations judged online (live, not the audited rate)"),
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
    "online": ("在线", "Online"),
    "offline": ("离线", "Offline"),
    "away": ("暂离", "Away"),
    "closed": ("闭馆", "Closed"),
    "excused": ("已报备", "Excused"),
    "unknown": ("未知", "Unknown"),
    "never_seen": ("从未上线", "Never seen"),
    "suspended": ("停用", "Suspended"),
    "seen": ("正常", "Seeing"),
    "open": ("未处理", "Open"),
    "acknowledged": ("已确认", "Acknowledged"),
    "station_offline": ("服务点离线", "Station offline"),
    "area_outage": ("区域中断", "Area outage"),
    "blind_spot": ("盲点", "Blind spot"),
    "health": ("设备健康", "Health"),
    "overdue_return": ("逾期未归", "Overdue return"),
    "identity_conflict": ("身份冲突", "Identity conflict"),
    "pipeline_blind": ("平台失明", "Platform blind"),
    "flapping": ("时断时续", "Flapping"),
    "true": ("是", "yes"),
    "false": ("否", "no"),
}


def text(key: str, language: str) -> str:
    """The words of `key`; KeyError for one that is not in the table."""
    return _TEXTS[key][LANGUAGES.index(language)]
