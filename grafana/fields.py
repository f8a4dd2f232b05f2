"""The columns of queries: their headings, units, and the words and colours of their values. Pure.

A column has one meaning in all dashboards, so a query that returns it needs no further description.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from contract.glossary import WORDS, word
from contract.said import Said
from grafana.palette import SEVERITIES, SIGHT, VERDICTS

Json = dict[str, Any]

DATASOURCE: Final = {"type": "grafana-postgresql-datasource", "uid": "milepost"}
LEVELS: Final = ("area1", "area2", "area3", "area4")
"""The variables of the levels of areas, and the hidden columns with the codes that a link chooses in them."""

COLOURS: Final[Mapping[str, Mapping[str, str]]] = {"verdict": VERDICTS, "severity": SEVERITIES, "sight": SIGHT}
"""The colours of the values of a family of words."""


class FieldStyle(msgspec.Struct, frozen=True):
    """A column of a table. `family`: the glossary family of its values; `unit`: as Grafana calls it; `hidden`: only for
    links."""

    label: Said
    unit: str | None = None
    family: str | None = None
    hidden: bool = False


MOMENT: Final = "dateTimeAsIso"
_SHARE: Final = "percentunit"
# Grafana's units with words ("2 hours") have them in English alone.
DURATION: Final = "dtdhms"
_HOURS: Final = "suffix:h"
_MINUTES: Final = "suffix:min"

COLUMNS: Final[Mapping[str, FieldStyle]] = {
    "station": FieldStyle(Said("Station", "服务点")),
    "terminal": FieldStyle(Said("Terminal", "终端")),
    "name": FieldStyle(Said("Name", "名称")),
    "area": FieldStyle(Said("Area", "行政区划")),
    "verdict": FieldStyle(Said("Verdict", "判定"), family="verdict"),
    "state": FieldStyle(Said("State", "状态"), family="verdict"),
    "since": FieldStyle(Said("Since", "起始时间"), unit=MOMENT),
    "lasts": FieldStyle(Said("For", "持续"), unit=DURATION),
    "usable": FieldStyle(Said("Usable", "可用"), family="answer"),
    "doubt": FieldStyle(Said("Unknown because", "未知原因"), family="doubt"),
    "id": FieldStyle(Said("No.", "编号")),
    "kind": FieldStyle(Said("Kind", "类别"), family="kind"),
    "spot": FieldStyle(Said("Kind", "类别"), family="spot"),
    "place": FieldStyle(Said("Where", "位置")),
    "status": FieldStyle(Said("Status", "状态"), family="status"),
    "severity": FieldStyle(Said("Severity", "级别"), family="severity"),
    "began": FieldStyle(Said("Began", "开始"), unit=MOMENT),
    "ended": FieldStyle(Said("Ended", "结束"), unit=MOMENT),
    "owner": FieldStyle(Said("Owner", "处理人")),
    "eta": FieldStyle(Said("Expected back", "预计恢复"), unit=MOMENT),
    "late": FieldStyle(Said("Late by", "已超时"), unit=DURATION),
    "clears": FieldStyle(Said("Cleared when", "消除条件"), family="clears"),
    "shard": FieldStyle(Said("Shard", "分片")),
    "partitions": FieldStyle(Said("Partitions", "分区数"), unit="none"),
    "age": FieldStyle(Said("Behind by", "时钟滞后"), unit=DURATION),
    "doubtful": FieldStyle(Said("Not to be trusted", "不可信分区"), unit="none"),
    "gap": FieldStyle(Said("Reason", "原因"), family="gap"),
    "pipeline": FieldStyle(Said("Platform", "平台"), family="sight"),
    "stations": FieldStyle(Said("Stations", "服务点数"), unit="none"),
    "down": FieldStyle(Said("Down", "中断"), unit="none"),
    "share": FieldStyle(Said("Share online", "在线占比"), unit=_SHARE),
    "not_down": FieldStyle(Said("Share not down", "未中断占比"), unit=_SHARE),
    "online_rate": FieldStyle(Said("Online rate", "在线率"), unit=_SHARE),
    "service_rate": FieldStyle(Said("Service rate", "服务率"), unit=_SHARE),
    "coverage": FieldStyle(Said("Coverage", "可判定率"), unit=_SHARE),
    "unknown_h": FieldStyle(Said("Unknown", "未知时长"), unit=_HOURS),
    "excused_h": FieldStyle(Said("Excused", "免责时长"), unit=_HOURS),
    "due_h": FieldStyle(Said("Due", "应开放时长"), unit=_HOURS),
    "lost_h": FieldStyle(Said("Not online", "离线时长"), unit=_HOURS),
    "day": FieldStyle(Said("Day", "日期")),
    "kept_until": FieldStyle(Said("Figures until", "指标截至")),
    "month": FieldStyle(Said("Month", "月份")),
    "revision": FieldStyle(Said("Revision", "修订"), unit="none"),
    "causes": FieldStyle(Said("Because of", "修订原因")),
    "before": FieldStyle(Said("Before", "修订前"), unit=_SHARE),
    "after": FieldStyle(Said("After", "修订后"), unit=_SHARE),
    "recorded": FieldStyle(Said("Written", "记录时间"), unit=MOMENT),
    "sessions": FieldStyle(Said("Sessions", "使用人次"), unit="none"),
    "minutes": FieldStyle(Said("Minutes", "使用时长"), unit=_MINUTES),
    "bytes": FieldStyle(Said("Traffic", "流量"), unit="bytes"),
    "size": FieldStyle(Said("Size", "大小"), unit="bytes"),
    "cpu": FieldStyle(Said("CPU", "处理器"), unit=_SHARE),
    "mem": FieldStyle(Said("Memory", "内存"), unit=_SHARE),
    "disk": FieldStyle(Said("Disk", "磁盘"), unit=_SHARE),
    "temp": FieldStyle(Said("Temperature", "温度"), unit="celsius"),
    "rtt": FieldStyle(Said("Round trip", "往返时延"), unit="ms"),
    "type": FieldStyle(Said("Type", "类型"), family="terminal_type"),
    "agent": FieldStyle(Said("Agent", "代理版本")),
    "model": FieldStyle(Said("Model", "型号")),
    "os": FieldStyle(Said("System", "操作系统")),
    "terminals": FieldStyle(Said("Terminals", "终端数"), unit="none"),
    "seen": FieldStyle(Said("Last heard", "最近心跳"), unit=MOMENT),
    "refresh": FieldStyle(Said("To be replaced", "更新期限")),
    "rule": FieldStyle(Said("Rule", "规则"), family="rule"),
    "value": FieldStyle(Said("Value", "数值")),
    "programme": FieldStyle(Said("Programme", "工程")),
    "cause": FieldStyle(Said("Cause", "原因"), family="repair_cause"),
    "outcome": FieldStyle(Said("Result", "结果"), family="repair_outcome"),
    "made_by": FieldStyle(Said("By", "处理人")),
    "channel": FieldStyle(Said("Channel", "渠道"), family="channel"),
    "sent": FieldStyle(Said("Sent", "已送出"), unit="none"),
    "waiting": FieldStyle(Said("Waiting", "待发送"), unit="none"),
    "failed": FieldStyle(Said("Failed", "失败"), unit="none"),
    "contact": FieldStyle(Said("Contact", "联系人")),
    "reason": FieldStyle(Said("Reason", "原因"), family="reason"),
    "consumer": FieldStyle(Said("Process", "进程"), family="part"),
    "topic": FieldStyle(Said("Topic", "主题")),
    "lag": FieldStyle(Said("Not read yet", "积压"), unit="none"),
    "refused": FieldStyle(Said("Reason", "原因"), family="deadletter"),
    "messages": FieldStyle(Said("Messages", "消息数"), unit="none"),
    "newest": FieldStyle(Said("Newest", "最近"), unit=MOMENT),
    "service": FieldStyle(Said("Process", "进程"), family="part"),
    "role": FieldStyle(Said("Works as", "角色"), family="process_role"),
    "sign": FieldStyle(Said("Last sign, ago", "距最近信号"), unit=DURATION),
    "subject": FieldStyle(Said("Subject", "对象")),
    "entries": FieldStyle(Said("Entries", "条目数"), unit="none"),
    "root": FieldStyle(Said("Root hash", "根哈希")),
    "signed": FieldStyle(Said("Signed", "签署时间"), unit=MOMENT),
    "acknowledge_mean": FieldStyle(Said("Mean time to acknowledge", "平均确认用时"), unit=DURATION),
    "acknowledge_median": FieldStyle(Said("Median time to acknowledge", "确认用时中位数"), unit=DURATION),
    "repair_mean": FieldStyle(Said("Mean time to repair", "平均修复用时"), unit=DURATION),
    "repair_median": FieldStyle(Said("Median time to repair", "修复用时中位数"), unit=DURATION),
    "incidents": FieldStyle(Said("Incidents", "故障数"), unit="none"),
    "unowned": FieldStyle(Said("Without an owner", "无人处理"), unit="none"),
    "overdue": FieldStyle(Said("Later than promised", "超过预计"), unit="none"),
    "escalated": FieldStyle(Said("Escalated", "已上报"), unit="none"),
    "expected": FieldStyle(Said("Should be open", "应开放"), unit="none"),
    "spots": FieldStyle(Said("Blind spots", "盲点"), unit="none"),
    "began_spots": FieldStyle(Said("Begun", "新增"), unit="none"),
    "removed_spots": FieldStyle(Said("Removed", "消除"), unit="none"),
    "frozen": FieldStyle(Said("Frozen", "已封存"), family="answer"),
    "unused": FieldStyle(Said("Stations without use", "无使用的服务点"), unit="none"),
    "working": FieldStyle(Said("Working", "正常"), unit="none"),
    "refresh_late": FieldStyle(Said("Replacement is late", "已过更新期限"), unit="none"),
    "refresh_soon": FieldStyle(Said("To be replaced within a year", "一年内到期"), unit="none"),
    "aside": FieldStyle(Said("Set aside", "被搁置"), unit="none"),
    "instance": FieldStyle(Said("Instance", "实例")),
    "changes": FieldStyle(Said("Changes", "变化数"), unit="none"),
    "thing": FieldStyle(Said("Kind", "类别"), family="term"),
    "why": FieldStyle(Said("Why", "原因")),
    "table": FieldStyle(Said("Table", "数据表")),
    "latitude": FieldStyle(Said("Latitude", "纬度")),
    "longitude": FieldStyle(Said("Longitude", "经度")),
    **{level: FieldStyle(Said("", ""), hidden=True) for level in LEVELS},
}
"""Every column that a query may return."""

_OWN_WORDS: Final[Mapping[str, Mapping[str, Said]]] = {
    "answer": {"true": Said("yes", "是"), "false": Said("no", "否")},
    "sight": {"unknown": Said("blind", "失明"), "seen": Said("sees", "正常")},
}
"""Words of values that the glossary has not, by family."""


HIDDEN: Final = {"custom.hidden": True, "custom.hideFrom": {"viz": True, "legend": False, "tooltip": True}}
"""How Grafana hides a column of a table: in earlier versions, and since 12.4."""


def words(family: str, language: str) -> dict[str, str]:
    """The words of the values of a family. Raises KeyError for a family that does not exist."""
    if own := _OWN_WORDS.get(family):
        return {name: said.text(language) for name, said in own.items()}
    return {str(name): word(family, name, language) for name in WORDS[family]}


def mappings(family: str, language: str) -> list[Json]:
    """The words and colours of a family, as Grafana maps values."""
    colours = COLOURS.get(family, {})
    shown: dict[str, Json] = {}
    for name, text in words(family, language).items():
        shown[name] = {"text": text, "index": len(shown)}
        if name in colours:
            shown[name]["color"] = colours[name]
    return [{"type": "value", "options": shown}]


def override(name: str, language: str, **more: Any) -> Json:
    """How a column is shown. Raises KeyError for a column that is not declared."""
    column = COLUMNS[name]
    properties: Json = dict(HIDDEN) if column.hidden else {"displayName": column.label.text(language)}
    if column.unit is not None:
        properties["unit"] = column.unit
    if column.unit == _SHARE:
        properties |= {"decimals": 2, "min": 0, "max": 1}
    elif column.unit in (_HOURS, _MINUTES):
        properties["decimals"] = 1 if column.unit == _HOURS else 0
    if column.family is not None:
        properties["mappings"] = mappings(column.family, language)
    return matched("byName", name, {**properties, **more})


def matched(matcher: str, options: str, properties: Mapping[str, Any]) -> Json:
    """Properties of the fields that a matcher finds."""
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def overrides(names: Iterable[str], language: str) -> list[Json]:
    """How several columns are shown."""
    return [override(name, language) for name in names]
