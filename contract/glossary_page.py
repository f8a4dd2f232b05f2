"""Generate docs/glossary.md. `python -m contract.glossary_page` writes the page; a test compares it with the code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contract.glossary import WORDS, Family
from contract.said import Said

_HEADINGS: Final[Family] = {
    "term": Said("Things", "事物"),
    "kind": Said("Kinds of incidents", "故障类别"),
    "alert_opened": Said("Title of an alert when it begins", "告警标题：发生"),
    "alert_closed": Said("Title of an alert when it is over", "告警标题：恢复"),
    "alert_passed": Said("Title of an alert that was over when it was found", "告警标题：发现时已恢复"),
    "alert_again": Said("Title of an alert about one that goes on", "告警标题：后续"),
    "advice": Said("What to do, by kind of incident", "处理建议：故障"),
    "spot_advice": Said("What to do, by kind of blind spot", "处理建议：盲点"),
    "rule_advice": Said("What to do, by health rule", "处理建议：健康规则"),
    "status": Said("States of an incident", "故障状态"),
    "severity": Said("Severities", "级别"),
    "verdict": Said("Verdicts", "判定"),
    "doubt": Said("Why a verdict is unknown", "判定为未知的原因"),
    "evidence": Said("What a verdict of the past rests on", "历史判定的依据"),
    "cause": Said("What stations that fell together share", "同时中断的服务点的共同点"),
    "reason": Said("Why an incident opened, changed or closed", "故障发生、变化、恢复的原因"),
    "gap": Said("Why a stretch of time does not count", "某段时间不计时的原因"),
    "spot": Said("Kinds of blind spots", "盲点类别"),
    "clears": Said("What clears it", "消除条件"),
    "stage": Said("How far an area has come", "区划的程度"),
    "rule": Said("Health rules", "健康规则"),
    "field": Said("Figures of health", "健康指标"),
    "unit": Said("Their units", "指标的单位"),
    "action": Said("Entries in the history of an incident", "故障经过"),
    "phase": Said("What an alert says", "通知的内容"),
    "target": Said("Where alerts go", "告警去向"),
    "channel": Said("Channels of contacts", "联系人的通知渠道"),
    "duty_role": Said("Usual roles of contacts, duty and routes", "联系人、值班和告警路由的常用角色"),
    "outcome": Said("What came of a message", "消息的发送结果"),
    "refusal": Said("Why an action is refused", "操作未执行的原因"),
    "escalation": Said("What happened while people were told", "通知的经过"),
    "page_status": Said("Whether somebody was told", "通知状态"),
    "page_reason": Said("Why somebody was not told", "未通知的原因"),
    "shelved_by": Said("How an incident was closed that is not over", "未恢复而关闭的方式"),
    "lifecycle": Said("Lifecycle of a station", "服务点的状态"),
    "terminal_type": Said("Types of terminals", "终端类型"),
    "station_kind": Said("Types of stations", "服务点类型"),
    "uplink": Said("Network operators", "网络运营商"),
    "closure": Said("Kinds of closures", "报备类别"),
    "closure_status": Said("States of a closure", "报备状态"),
    "silence_status": Said("States of a silence", "屏蔽状态"),
    "scope": Said("What a closure is for", "报备范围"),
    "day_class": Said("Kinds of days", "日期类别"),
    "file": Said("Kinds of files to import", "导入文件的类别"),
    "passed_over": Said("Why a contact is not told", "联系人未被通知的原因"),
    "route_verdict": Said("Why an incident takes a route, or not", "路由是否采用及原因"),
    "nobody_told": Said("Why nobody is told", "无人会收到通知的原因"),
    "repair_cause": Said("Causes that people find", "查明的原因"),
    "repair_outcome": Said("Whether a repair held", "修复是否有效"),
    "cause_evidence": Said("What speaks for a cause of an incident", "故障原因的依据"),
    "level": Said("Levels of areas", "区划级别"),
    "metric": Said("Figures of targets", "目标指标"),
    "target_status": Said("Status of targets", "目标完成状态"),
    "figure": Said("Figures of uptime", "在线统计指标"),
    "criterion": Said("Criteria of assessments", "考核指标"),
    "assessment_result": Said("Results of assessments", "考核结果"),
    "revision_cause": Said("Why a day has a further revision", "日统计修订原因"),
    "finding": Said("Findings", "审计意见与异议"),
    "finding_status": Said("How far a finding is", "审计意见的进度"),
    "counts_as": Said("As what a corrected time counts", "更正后的计算方式"),
    "correction_status": Said("How far a correction is", "更正的进度"),
    "deadletter": Said("Why a message is refused", "消息被拒收的原因"),
    "part": Said("Parts of the platform", "平台的组成"),
    "process_role": Said("What a process does now", "进程的角色"),
    "part_fault": Said("What is wrong with a part", "组成部分的问题"),
    "part_effect": Said("What follows from that", "由此造成的影响"),
    "detail": Said("Facts of an incident", "故障详情"),
    "role": Said("Roles of accounts and tokens", "账户和令牌的角色"),
    "role_acts": Said("What each role does", "各角色的职责"),
    "permission": Said("What a role may do", "角色的权限"),
    "account_state": Said("States of an account", "账户状态"),
    "token_state": Said("States of a token", "令牌状态"),
}
_DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "glossary.md"
_INTRODUCTION: Final = """\
# Glossary 词汇表

What the words in the console, in alerts and on dashboards mean, in English and in Chinese. This page is written from
`contract/glossary.py` by `python -m contract.glossary_page`; a test holds it to that.

控制台、告警和仪表盘所用词汇的中英文对照。
"""


def rendered() -> str:
    """The text of docs/glossary.md."""
    return "\n".join([_INTRODUCTION, *(line for family in WORDS for line in _section(family))])


def _section(family: str) -> Iterator[str]:
    heading = _HEADINGS[family]
    yield f"## {heading.en} {heading.zh}\n"
    yield "| word | English | 中文 |\n|---|---|---|"
    yield from (f"| `{name}` | {said.en} | {said.zh} |" for name, said in WORDS[family].items())
    yield ""


if __name__ == "__main__":
    _DOCUMENT.write_text(rendered(), encoding="utf-8")
