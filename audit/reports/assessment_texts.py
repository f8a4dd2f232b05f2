"""Titles and sentences of the report of an assessment, in zh-CN and en."""

from typing import Final

from contract.said import Said

ASSESSMENT_TEXTS: Final = {
    "assessment_title": Said("Assessment: {place}", "考核报告：{place}"),
    "assessed_as": Said("Result", "考核结果"),
    "assessed_result": Said("{points} points: {result}", "{points} 分，{result}"),
    "assessed_nothing": Said("no criterion has a value", "所有指标均无数据"),
    "assessed_revision": Said("Revision", "版次"),
    "assessed_again": Said("{n}, because: {why}", "第 {n} 版，原因：{why}"),
    "assessed_first": Said("{n}", "第 {n} 版"),
    "assessed_on": Said("Made on", "考核日期"),
    "assessed_rules": Said("Rules", "考核规则"),
    "assessed_rules_named": Said("{name}, version {version}", "{name}，第 {version} 版"),
    "assessed_frozen": Said("from frozen figures", "采用已定稿的数据"),
    "assessed_not_frozen": Said(
        "not all months were frozen when this was made; this assessment stays as it is",
        "考核时部分月份尚未定稿；本考核结果不再变化",
    ),
    "assessed_counts": Said("Places", "考核对象"),
    "assessed_counted": Said("{level}: {counts}", "{level}：{counts}"),
    "assessed_note": Said(
        "A place has all points of a criterion from one value on, none up to another, and between both in proportion "
        "(last table). If a value does not exist, the rules say whether its points are shared out among the other "
        "criteria or lost. Ranks count from the best of a level; equal points share a rank.",
        "某项指标达到满分线得满分，不高于零分线得零分，两者之间按比例计分（见最后一表）。没有数据的指标，"
        "按规则把分值分摊到其他指标，或记零分。名次在同一级别内由高到低排列，得分相同的名次相同。",
    ),
    "assessed_areas_note": Said(
        "Figures of an area are its kept sums, those of a frozen month as they were frozen; use and terminals are "
        "those of the stations that were in the area when this was made. Those of stations include later corrections.",
        "区划的数据为留存的合计，已定稿的月份采用定稿数据；使用时长和终端按考核时位于该区划的服务点统计。"
        "服务点的数据含此后的更正。",
    ),
    "assessed_whole": Said("The whole", "总体"),
    "assessed_places": Said("Places, the worst of each level first", "考核对象（各级别内得分由低到高）"),
    "assessed_rule_table": Said("Criteria", "指标与规则"),
    "criterion": Said("Criterion", "指标"),
    "level": Said("Level", "级别"),
    "points": Said("Points", "得分"),
    "place_code": Said("Id or code", "编号或代码"),
    "possible": Said("Of", "满分"),
    "lost": Said("Lost", "失分"),
    "measured": Said("Value", "数值"),
    "result": Said("Result", "结果"),
    "change": Said("Change", "较上期"),
    "rank_before": Said("Rank before", "上期名次"),
    "weight": Said("Weight", "权重"),
    "full_from": Said("All points from", "满分线"),
    "none_to": Said("No points up to", "零分线"),
    "if_missing": Said("Without a value", "无数据时"),
    "missing_left_out": Said("shared out", "分摊"),
    "missing_zero": Said("lost", "记零分"),
    "no_value": Said("no value", "无数据"),
    "left_out": Said("no value: its points are shared out", "无数据：分值已分摊"),
    "lost_points": Said(
        "{criterion} {value} (all points from {full}): −{lost}", "{criterion} {value}（满分线 {full}）：失 {lost} 分"
    ),
    "lost_points_why": Said("{lost}, {why}", "{lost}，{why}"),
    "cap_rule": Said(
        "{criterion} below {below}: at most {most} points", "{criterion}低于 {below}，得分不超过 {most} 分"
    ),
    "lost_by_cap": Said("{cap}, −{lost}", "{cap}：失 {lost} 分"),
    "was_not_served": Said("no service {time} of {due}", "应服务 {due}，未服务 {time}"),
    "was_used": Said("used {time} of {due}", "开放 {due}，使用 {time}"),
    "scored_by": Said("scored by {source}", "评价方：{source}"),
    "result_lines": Said("pass from {passes}, warning from {warns}", "{passes} 分起合格，{warns} 分起警示"),
    "assessed_entry": Said(
        "The entry assessment.made of the ledger, subject assessment/{id}, has these SHA-256:",
        "账本条目 assessment.made（对象 assessment/{id}）含以下 SHA-256：",
    ),
    "verify_assessment": Said(
        "1. The operator runs: milepost assess check {id}. The command computes the result again from the kept inputs "
        "and rules alone, and compares it with the hashes.",
        "1. 运营方运行：milepost assess check {id}。该命令仅用留存的数据和规则重新计算结果，并与哈希比对。",
    ),
    "verify_assessment_entry": Said(
        "2. Ask the operator for an export of the ledger (milepost ledger export FOLDER), run milepost verify FOLDER "
        "on your own machine, and compare the hashes above with those of the entry.",
        "2. 向运营方索取账本导出文件（milepost ledger export 目录），在自己的电脑上运行 milepost verify 目录，"
        "并将上方哈希与该条目中的哈希比对。",
    ),
}
