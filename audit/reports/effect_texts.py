"""Titles and sentences of the report of effect, in zh-CN and en."""

from typing import Final

from contract.glossary import WORDS
from contract.said import Said

EFFECT_TEXTS: Final = {
    "effect_title": Said("Effect report: {place}", "服务效能报告：{place}"),
    "open_ms": Said("opening hours", "开放时长"),
    "sessions": Said("visits", "服务人次"),
    "used_ms": Said("time used", "使用时长"),
    "use_rate": WORDS["criterion"]["use_rate"],
    "terminals": Said("terminals", "终端数"),
    "working": Said("terminals that work", "正常终端数"),
    "working_share": WORDS["criterion"]["working_share"],
    "bytes": Said("bytes delivered", "传送字节数"),
    "least_used": Said("Stations, the least used first", "服务点（使用率由低到高）"),
    "state_used": Said("", ""),
    "state_idle": Said("idle: records count no visit", "闲置：使用记录中无服务人次"),
    "state_stale": Said("no usage record", "没有使用记录"),
    "state_not_due": Said("no opening hours", "无开放时长"),
    "terminals_broken": Said("{n} of {known} terminals do not work", "{known} 台终端中 {n} 台异常"),
    "no_terminal": Said("no terminal sent records", "没有终端上报记录"),
    "by_category": Said("Visits by category", "按类别的服务人次"),
    "by_language": Said("Visits by language", "按语言的服务人次"),
    "value": Said("Value", "取值"),
    "not_given": Said("(not given)", "（未注明）"),
    "stock": Said("Content by language", "各语言资源存量"),
    "language": Said("Language", "语言"),
    "titles": Said("packages", "资源包数"),
    "stock_bytes": Said("bytes", "字节数"),
    "stations_holding": Said("stations, at least", "至少拥有的服务点数"),
    "share_of_visits": Said("share of visits", "占服务人次比例"),
    "effect_counts": Said("Stations by use", "服务点使用情况"),
    "effect_counted": Said(
        "{used} used, {idle} idle, {stale} without usage records, {not_due} without opening hours",
        "使用 {used} 个，闲置 {idle} 个，没有使用记录 {stale} 个，无开放时长 {not_due} 个",
    ),
    "effect_note": Said(
        "Opening hours are without approved closures. Use rate = time used / opening hours; it is above 100% if "
        "several visitors use a station together. Rates of an area are those of its sums, not means of rates. A "
        "dash: nothing was due or nothing was reported. Times are hours:minutes.",
        "开放时长不含报备时长。使用率＝使用时长÷开放时长；多人同时使用时可超过 100%。"
        "区划的比率为合计之比，不是平均数。“–”表示无应计时长或没有上报。时长为“小时:分钟”。",
    ),
    "effect_sources": Said(
        "Visits and minutes are reported by the terminals. The ledger proves the time online, but not visits.",
        "服务人次和使用时长由终端上报。账本可证明在线时长，不能证明服务人次。",
    ),
    "effect_terminals": Said(
        "A terminal counts if it sent records in the period or in the {known} days before it. It works if it sent "
        "records in the last {working} days of the period.",
        "本期或此前 {known} 天内上报过记录的终端计入终端数；本期最后 {working} 天内上报过记录的为正常终端。",
    ),
    "effect_stock": Said(
        "Each package counts once, from the newest inventories of the terminals.",
        "按终端最新的清单统计，每个资源包只计一次。",
    ),
    "effect_order": Said(
        "Stations without a use rate come last and have no rank. Equal rates have the same rank.",
        "没有使用率的服务点排在最后，不列名次；使用率相同的名次相同。",
    ),
}
