"""Kinds of incidents: words, severity and topic of each. Pure.

This is the only list of the kinds. A new kind is one member of `IncidentKind` and one entry of `KINDS`; the glossary,
severities, the console and notifications read them from here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

import msgspec

from contract.said import Said

Severity = Literal["info", "warning", "critical"]


class IncidentKind(StrEnum):
    """The kinds of incidents, as they are stored and as they stand in API answers."""

    STATION_OFFLINE = "station_offline"
    AREA_OUTAGE = "area_outage"
    PIPELINE_BLIND = "pipeline_blind"
    BLIND_SPOT = "blind_spot"
    HEALTH = "health"
    OVERDUE_RETURN = "overdue_return"
    UNUSABLE = "unusable"
    IDENTITY_CONFLICT = "identity_conflict"
    CHANNEL_DEAD = "channel_dead"
    SEAL_LATE = "seal_late"
    SET_ASIDE = "set_aside"
    FLAPPING = "flapping"
    NEVER_SEEN = "never_seen"


class KindTopic(msgspec.Struct, frozen=True, kw_only=True):
    """The topic by which two incidents of one kind differ, for example the rule of a health incident. The name of the
    topic stands in `field` of the incident's detail; the glossary has its words in `family` and its advice in the
    family `advice`."""

    family: str
    field: str
    advice: str


class KindEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The words and properties of one kind of incident.

    `opened`, `closed` and `passed` are titles of notifications.
    """

    name: Said
    #: The incident begins.
    opened: Said
    #: The incident is over.
    closed: Said
    #: The incident was over before it was found.
    passed: Said
    #: What to do, one sentence.
    advice: Said
    #: The severity of an incident without a severity in its detail.
    severity: Severity = "warning"
    topic: KindTopic | None = None
    #: An incident of this kind may be the common cause of incidents of many stations, or terminals.
    common_to: Literal["stations", "terminals"] | None = None


KINDS: Final[Mapping[str, KindEntry]] = {
    IncidentKind.STATION_OFFLINE: KindEntry(
        name=Said("Station offline", "服务点离线"),
        opened=Said("OFFLINE", "离线"),
        closed=Said("BACK", "恢复"),
        passed=Said("WAS OFFLINE", "曾离线，已恢复"),
        advice=Said(
            "Call the station and check power, network and terminal in this order; "
            "if it stays down, send a technician.",
            "请联系站点，依次检查供电、网络和终端；仍无法恢复的，派人到现场处理。",
        ),
    ),
    IncidentKind.AREA_OUTAGE: KindEntry(
        name=Said("Area outage", "区域中断"),
        opened=Said("AREA OUTAGE", "区域中断"),
        closed=Said("AREA BACK", "区域恢复"),
        passed=Said("AREA WAS OUT", "区域曾中断，已恢复"),
        advice=Said(
            "Ask the network operator and the power company first; send nobody to single stations before.",
            "请先向网络运营商和供电部门核实，暂不必逐站派人。",
        ),
        severity="critical",
        common_to="stations",
    ),
    IncidentKind.PIPELINE_BLIND: KindEntry(
        name=Said("Platform blind", "平台失明"),
        opened=Said("PLATFORM BLIND", "平台失明"),
        closed=Said("PLATFORM BACK", "平台恢复"),
        passed=Said("PLATFORM WAS BLIND", "平台曾失明，已恢复"),
        advice=Said(
            "For the platform's administrator: check message broker, judge and database. Stations have nothing to do.",
            "请平台管理员检查消息服务、判定进程和数据库；各站点无需处理。",
        ),
        severity="critical",
    ),
    IncidentKind.BLIND_SPOT: KindEntry(
        name=Said("Blind spot", "盲点"),
        opened=Said("BLIND SPOT", "盲点"),
        closed=Said("BLIND SPOT CLEARED", "盲点消除"),
        passed=Said("WAS A BLIND SPOT", "曾为盲点，已消除"),
        advice=Said("Look at the details and arrange for service here.", "请查看详情，安排补齐服务。"),
        topic=KindTopic(family="spot", field="kind", advice="spot_advice"),
    ),
    IncidentKind.HEALTH: KindEntry(
        name=Said("Device health", "设备健康"),
        opened=Said("HEALTH", "设备告警"),
        closed=Said("HEALTH OK", "设备恢复"),
        passed=Said("HEALTH WAS BAD", "设备曾告警，已恢复"),
        advice=Said(
            "Look at what the terminal reports and arrange for maintenance.", "请查看该终端上报的数据，安排检修。"
        ),
        topic=KindTopic(family="rule", field="rule", advice="rule_advice"),
        common_to="terminals",
    ),
    IncidentKind.OVERDUE_RETURN: KindEntry(
        name=Said("Overdue return", "逾期未归"),
        opened=Said("OVERDUE", "逾期未归"),
        closed=Said("RETURNED", "已返回"),
        passed=Said("WAS OVERDUE", "曾逾期，已返回"),
        advice=Said(
            "Call the mobile staff: check that they and the vehicle are safe, and ask when they will be back.",
            "请联系流动服务人员，确认人员和车辆平安，了解返回时间。",
        ),
    ),
    IncidentKind.UNUSABLE: KindEntry(
        name=Said("Not usable", "不可用"),
        opened=Said("NOT USABLE", "不可用"),
        closed=Said("USABLE AGAIN", "恢复可用"),
        passed=Said("WAS NOT USABLE", "曾不可用，已恢复"),
        advice=Said(
            "Call the station and check what visitors use: screen, card reader, software.",
            "请联系站点，检查供公众使用的设备：屏幕、读卡器、软件。",
        ),
        common_to="stations",
    ),
    IncidentKind.IDENTITY_CONFLICT: KindEntry(
        name=Said("Identity conflict", "身份冲突"),
        opened=Said("IDENTITY CONFLICT", "身份冲突"),
        closed=Said("CONFLICT OVER", "身份冲突解除"),
        passed=Said("WAS IN CONFLICT", "曾有身份冲突，已解除"),
        advice=Said(
            "Compare the station and terminal ids set on the devices, and correct the wrong one.",
            "请核对各设备上设置的站点编号和终端编号，改正填错的一台。",
        ),
    ),
    IncidentKind.CHANNEL_DEAD: KindEntry(
        name=Said("Dead channel", "通知渠道失效"),
        opened=Said("CHANNEL DEAD", "渠道失效"),
        closed=Said("CHANNEL WORKS", "渠道恢复"),
        passed=Said("CHANNEL WAS DEAD", "渠道曾失效，已恢复"),
        advice=Said(
            "Correct or replace the channel of this contact, then run `milepost notify test` for the contact.",
            "请改正或更换该联系人的通知渠道，然后用 `milepost notify test` 测试。",
        ),
    ),
    IncidentKind.SEAL_LATE: KindEntry(
        name=Said("Late seal of the ledger", "账本封存延迟"),
        opened=Said("SEAL LATE", "封存延迟"),
        closed=Said("SEALED AGAIN", "封存恢复"),
        passed=Said("SEAL WAS LATE", "封存曾延迟，已恢复"),
        advice=Said(
            "For the platform's administrator: check that `milepost audit` runs, and read its log. Until then, a "
            "change of what is not sealed leaves no trace.",
            "请平台管理员检查 `milepost audit` 是否运行，并查看其日志；在此之前，未封存的内容若被改动不会留下痕迹。",
        ),
    ),
    IncidentKind.SET_ASIDE: KindEntry(
        name=Said("Data set aside", "数据搁置"),
        opened=Said("DATA SET ASIDE", "数据搁置"),
        closed=Said("DATA PROCESSED AGAIN", "恢复处理"),
        passed=Said("DATA WAS SET ASIDE", "数据曾被搁置，已恢复处理"),
        advice=Said(
            "For the platform's administrator: open the list of what is set aside (dashboard of the platform itself, "
            "or GET /api/v1/pipeline) and mend what each reason names. All else is processed as usual.",
            "请平台管理员查看被搁置的对象（“平台自身”仪表盘，或 GET /api/v1/pipeline），按所列原因逐一改正；"
            "其余数据照常处理。",
        ),
    ),
    IncidentKind.FLAPPING: KindEntry(
        name=Said("Flapping", "时断时续"),
        opened=Said("FLAPPING", "时断时续"),
        closed=Said("STEADY", "趋于稳定"),
        passed=Said("WAS FLAPPING", "曾时断时续，已稳定"),
        advice=Said(
            "Check whether network and power are stable; single failures are not reported until it is steady.",
            "请检查网络和供电是否稳定；稳定之前，单次中断不再逐次通知。",
        ),
        severity="info",
    ),
    IncidentKind.NEVER_SEEN: KindEntry(
        name=Said("Never seen", "从未上线"),
        opened=Said("NEVER SEEN", "从未上线"),
        closed=Said("FIRST SEEN", "首次上线"),
        passed=Said("WAS NOT SEEN", "曾迟迟未上线，已上线"),
        advice=Said(
            "Check that the terminal is installed, has power and network, and has the right ids.",
            "请核实终端是否已安装、通电、联网，站点编号和终端编号是否正确。",
        ),
        severity="info",
    ),
}
"""By kind, in the order in which pages list them."""

SHARED_BY_STATIONS: Final = frozenset(kind for kind, entry in KINDS.items() if entry.common_to == "stations")
"""Kinds of incidents that may be the common cause of many stations."""
