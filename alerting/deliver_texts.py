"""The texts of what people are told, in zh-CN and en. Pure."""

from typing import Final, Literal

import msgspec

Language = Literal["zh-CN", "en"]


class Words(msgspec.Struct, frozen=True):
    """The texts of one language. `titles`: of a kind, as (opened, closed, passed)."""

    titles: dict[str, tuple[str, str, str]]
    other_titles: tuple[str, str, str]
    about: str
    stations: str
    terminals: str
    since: str
    was: str
    place: str
    area: str
    shard: str
    last_seen: str
    terminal: str
    terminal_short: str
    value: str
    causes: str
    shared: str
    concerned: str
    still_down: str
    concerned_terminals: str
    still_bad: str
    clears: str
    unknown_note: str
    by_hand_title: str
    reopened_title: str
    by_hand: str
    was_by_hand: str
    by_hand_reason: str
    no_reason: str
    reopens: str
    number: str
    link: str
    listing: str
    units: tuple[str, str, str, str]
    zone: str


_ZH: Final = Words(
    titles={
        "station_offline": ("【离线】{what}", "【恢复】{what}", "【曾离线，已恢复】{what}"),
        "area_outage": ("【区域中断】{what}", "【区域恢复】{what}", "【区域曾中断，已恢复】{what}"),
        "blind_spot": ("【盲点】{what}", "【盲点消除】{what}", "【曾为盲点，已消除】{what}"),
        "health": ("【设备告警】{what}", "【设备恢复】{what}", "【设备曾告警，已恢复】{what}"),
        "overdue_return": ("【逾期未归】{what}", "【已返回】{what}", "【曾逾期，已返回】{what}"),
        "identity_conflict": ("【身份冲突】{what}", "【身份冲突解除】{what}", "【曾有身份冲突，已解除】{what}"),
        "unusable": ("【不可用】{what}", "【恢复可用】{what}", "【曾不可用，已恢复】{what}"),
        "flapping": ("【时断时续】{what}", "【趋于稳定】{what}", "【曾时断时续，已稳定】{what}"),
        "never_seen": ("【从未上线】{what}", "【首次上线】{what}", "【曾迟迟未上线，已上线】{what}"),
        "pipeline_blind": ("【平台失明】{what}", "【平台恢复】{what}", "【平台曾失明，已恢复】{what}"),
    },
    other_titles=("【故障】{what}", "【恢复】{what}", "【曾故障，已恢复】{what}"),
    about="{topic}：{what}",
    stations="{n} 个服务点",
    terminals="{n} 台终端",
    since="自 {began} 起，已持续 {lasted}。",
    was="自 {began} 至 {ended}，共 {lasted}。",
    place="服务点：{name}（{id}）{area}",
    area="行政区划：{name}",
    shard="消息分片 {shard}",
    last_seen="最后一次心跳：{at}",
    terminal="终端：{terminal}",
    terminal_short="终端 {terminal}",
    value="数值 {value}，阈值 {threshold}",
    causes="原因：{causes}",
    shared="共同点：{cause} {name}",
    concerned="涉及 {n} 个服务点。",
    still_down="涉及 {n} 个服务点，其中 {down} 个尚未恢复。",
    concerned_terminals="涉及 {n} 台终端。",
    still_bad="涉及 {n} 台终端，其中 {down} 台尚未恢复。",
    clears="消除条件：{clears}",
    unknown_note="这是平台自身的问题：期间各服务点状态未知，不计为离线。",
    by_hand_title="【人工关闭，未恢复】{kind}：{what}",
    reopened_title="【仍未恢复】{kind}：{what}",
    by_hand="由 {who} 人工关闭，故障尚未恢复。",
    was_by_hand="此前由 {who} 人工关闭。",
    by_hand_reason="关闭原因：{reason}",
    no_reason="未说明关闭原因。",
    reopens="若届时仍未恢复，将于 {at} 重新告警。",
    number="故障编号 {id}",
    link="查看与确认：{link}",
    listing="、",
    units=("天", "小时", "分", "秒"),
    zone="",
)
_EN: Final = Words(
    titles={
        "station_offline": ("[OFFLINE] {what}", "[BACK] {what}", "[WAS OFFLINE] {what}"),
        "area_outage": ("[AREA OUTAGE] {what}", "[AREA BACK] {what}", "[AREA WAS OUT] {what}"),
        "blind_spot": ("[BLIND SPOT] {what}", "[BLIND SPOT CLEARED] {what}", "[WAS A BLIND SPOT] {what}"),
        "health": ("[HEALTH] {what}", "[HEALTH OK] {what}", "[HEALTH WAS BAD] {what}"),
        "overdue_return": ("[OVERDUE] {what}", "[RETURNED] {what}", "[WAS OVERDUE] {what}"),
        "identity_conflict": ("[IDENTITY CONFLICT] {what}", "[CONFLICT OVER] {what}", "[WAS IN CONFLICT] {what}"),
        "unusable": ("[NOT USABLE] {what}", "[USABLE AGAIN] {what}", "[WAS NOT USABLE] {what}"),
        "flapping": ("[FLAPPING] {what}", "[STEADY] {what}", "[WAS FLAPPING] {what}"),
        "never_seen": ("[NEVER SEEN] {what}", "[FIRST SEEN] {what}", "[WAS NOT SEEN] {what}"),
        "pipeline_blind": ("[PLATFORM BLIND] {what}", "[PLATFORM BACK] {what}", "[PLATFORM WAS BLIND] {what}"),
    },
    other_titles=("[INCIDENT] {what}", "[CLOSED] {what}", "[WAS OPEN] {what}"),
    about="{topic}: {what}",
    stations="{n} stations",
    terminals="{n} terminals",
    since="Since {began}, for {lasted}.",
    was="From {began} to {ended}, {lasted}.",
    place="Station: {name} ({id}){area}",
    area="Area: {name}",
    shard="Message shard {shard}",
    last_seen="Last heartbeat: {at}",
    terminal="Terminal: {terminal}",
    terminal_short="terminal {terminal}",
    value="Value {value}, threshold {threshold}",
    causes="Cause: {causes}",
    shared="In common: {cause} {name}",
    concerned="Stations concerned: {n}.",
    still_down="Stations concerned: {n}, still down: {down}.",
    concerned_terminals="Terminals concerned: {n}.",
    still_bad="Terminals concerned: {n}, not yet well: {down}.",
    clears="Cleared when {clears}",
    unknown_note="This is the platform's own trouble: meanwhile stations are unknown, not offline.",
    by_hand_title="[CLOSED BY HAND, NOT OVER] {kind}: {what}",
    reopened_title="[STILL WRONG] {kind}: {what}",
    by_hand="Closed by hand by {who}; the fault is not over.",
    was_by_hand="Closed by hand by {who} before.",
    by_hand_reason="Reason for closing: {reason}",
    no_reason="No reason was given for closing.",
    reopens="If it is not over by then, people are alerted again at {at}.",
    number="Incident {id}",
    link="Look and acknowledge: {link}",
    listing=", ",
    units=("d", "h", "min", "s"),
    zone=" (UTC+8)",
)
TEXTS: Final[dict[Language, Words]] = {"zh-CN": _ZH, "en": _EN}
