"""Alert rules of Grafana for Milepost's own health, as its file provisioning takes them. Pure.

They are a second watcher beside `milepost watch`, for people who are paged by Grafana. A rule without a value fires: a
platform that says nothing is not well.
"""

import json
from pathlib import Path
from typing import Final

import msgspec

from contract.said import Said
from grafana.fields import DATASOURCE, Json
from grafana.variables import sql_of
from store.sql import load_queries

QUERIES: Final = load_queries(Path(__file__).with_suffix(".sql"))
PATH: Final = Path(__file__).with_name("provisioning") / "alerting" / "milepost.json"
_EXPRESSIONS: Final = "__expr__"
_WINDOW_S: Final = 600


class AlertRule(msgspec.Struct, frozen=True):
    """A rule: fires while the value of the query has been above `limit` for `lasts`. `name`: of query and uid."""

    name: str
    limit: float
    lasts: str
    title: Said
    advice: Said


RULES: Final = (
    AlertRule(
        "clock",
        120,
        "2m",
        Said("A pipeline clock stands still", "平台时钟停止"),
        Said(
            "Look at the bridges, Kafka and the judge: see Pipeline clocks.",
            "请检查网桥、Kafka 与判定进程：见“平台时钟”。",
        ),
    ),
    AlertRule(
        "doubtful",
        0,
        "5m",
        Said("Stations are unknown because the platform is in doubt", "平台不可信，部分服务点状态未知"),
        Said("Look at the shards that are not to be trusted.", "请检查不可信的分片。"),
    ),
    AlertRule(
        "lag",
        100_000,
        "10m",
        Said("A process is far behind Kafka", "进程积压过多"),
        Said("See Not read yet: start another process, or find what is slow.", "见“积压”：增加进程，或查明瓶颈。"),
    ),
    AlertRule(
        "silent",
        60,
        "2m",
        Said("A process gives no sign of life", "进程没有信号"),
        Said("See Processes; its log says why.", "见“进程”；原因见其日志。"),
    ),
    AlertRule(
        "aside",
        0,
        "5m",
        Said("Something cannot be judged and is set aside", "有对象无法判定，已被搁置"),
        Said("See Set aside: the reason names what to mend.", "见“被搁置的对象”：原因指明应改正之处。"),
    ),
    AlertRule(
        "undelivered",
        600,
        "5m",
        Said("Messages to people wait", "通知滞留"),
        Said("See Messages by channel and Channels that take nothing.", "见“各渠道消息”与“失效渠道”。"),
    ),
    AlertRule(
        "unsealed",
        7200,
        "10m",
        Said("The ledger is not signed", "账本未签署"),
        Said("See the log of milepost audit.", "见 milepost audit 的日志。"),
    ),
)


def build() -> Json:
    """The provisioning file: one group, which Grafana evaluates each minute."""
    group = {
        "orgId": 1,
        "name": "Milepost",
        "folder": "Milepost en",
        "interval": "1m",
        "rules": [_rule(rule) for rule in RULES],
    }
    return {"apiVersion": 1, "groups": [group]}


def render() -> str:
    """The text of the file."""
    return json.dumps(build(), ensure_ascii=False, indent=2) + "\n"


def _rule(rule: AlertRule) -> Json:
    return {
        "uid": f"milepost-{rule.name}",
        "title": f"{rule.title.en} / {rule.title.zh}",
        "condition": "B",
        "for": rule.lasts,
        "noDataState": "Alerting",
        "execErrState": "Alerting",
        "isPaused": False,
        "labels": {"source": "milepost"},
        "annotations": {
            "summary": f"{rule.title.en} / {rule.title.zh}",
            "description": f"{rule.advice.en} {rule.advice.zh}",
        },
        "data": [_query(rule), _threshold(rule)],
    }


def _query(rule: AlertRule) -> Json:
    return {
        "refId": "A",
        "relativeTimeRange": {"from": _WINDOW_S, "to": 0},
        "datasourceUid": DATASOURCE["uid"],
        "model": {
            "refId": "A",
            "editorMode": "code",
            "format": "table",
            "rawQuery": True,
            "rawSql": sql_of(getattr(QUERIES, rule.name), "en"),
        },
    }


def _threshold(rule: AlertRule) -> Json:
    return {
        "refId": "B",
        "relativeTimeRange": {"from": _WINDOW_S, "to": 0},
        "datasourceUid": _EXPRESSIONS,
        "model": {
            "refId": "B",
            "type": "threshold",
            "expression": "A",
            "conditions": [{"type": "query", "evaluator": {"type": "gt", "params": [rule.limit]}}],
        },
    }
