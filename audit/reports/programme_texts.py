"""Titles and sentences of the report of programmes, in zh-CN and en."""

from typing import Final

from contract.said import Said

PROGRAMME_TEXTS: Final = {
    "programme_title": Said("Programme report: {place}", "工程目标报告：{place}"),
    "as_of": Said("As of the end of", "截至"),
    "targets": Said("Targets", "目标"),
    "targets_furthest": Said("Targets, the least progress first", "目标（完成率由低到高）"),
    "target": Said("Target", "目标编号"),
    "programme": Said("Programme", "工程"),
    "metric": Said("Metric", "指标"),
    "promised": Said("promised", "目标值"),
    "reached": Said("reached", "完成值"),
    "progress": Said("progress", "完成率"),
    "deadline": Said("Deadline", "截止日期"),
    "in_service": Said("stations in service", "在用服务点数"),
    "waiting": Said("planned or suspended", "计划或停用"),
    "targets_counted": Said(
        "{reached} reached, {missed} missed, {open} open, {no_promise} without a promised amount, {unmeasured} without "
        "data",
        "已完成 {reached} 项，逾期未完成 {missed} 项，进行中 {open} 项，未定目标值 {no_promise} 项，"
        "无数据 {unmeasured} 项",
    ),
    "by_status": Said("Targets by status", "目标完成情况"),
    "short_by": Said("short by {n}", "还差 {n}"),
    "areas_lacking": Said(
        "{n} of {all} areas without a station in service: {names}", "{all} 个区划中 {n} 个没有在用服务点：{names}"
    ),
    "areas_more": Said("{names} and {n} more", "{names}等，另有 {n} 个"),
    "stations_waiting": Said("stations that are planned or suspended: {n}", "{n} 个服务点为计划或停用状态"),
    "nothing_measured": Said("nothing was measured", "没有数据"),
    "lacking_areas": Said("Areas without a station", "无在用服务点的区划"),
    "of_language": Said("{metric} ({language})", "{metric}（{language}）"),
    "programme_note": Said(
        "A station counts if it was in service at the end of the day, in an area of the target, and in the programme "
        "that the target names. Progress = reached / promised. A dash: no amount was promised, or nothing was "
        "measured.",
        "当日终了时处于在用状态、位于目标区划内且属于目标所列工程的服务点计入。完成率＝完成值÷目标值。"
        "“–”表示未定目标值或没有数据。",
    ),
    "programme_areas": Said(
        "Areas are those of the day. Where areas merged, split or got other codes, a station counts for the area in "
        "which it lay; a station that came after a merger counts for each of the merged areas.",
        "区划以当日为准。区划合并、拆分或变更代码的，服务点按其原所在区划计入；合并后新增的服务点计入每个被合并的区划。",
    ),
    "programme_measures": Said(
        "Rates are those of the {days} days up to this day, visits those of the calendar year up to this day; content "
        "is that of the newest inventories, each package once.",
        "在线率和服务率为截至当日的 {days} 天；服务人次为当年截至当日；资源按最新清单统计，每个资源包只计一次。",
    ),
    "programme_proof": Said(
        "The ledger has the facts of the registry behind these numbers. The command verify does not count them again.",
        "账本含有上述数据所依据的登记变更记录；核验命令不会重新统计这些数字。",
    ),
}
