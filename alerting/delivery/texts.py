"""The sentences of notifications, in zh-CN and en. Pure."""

from typing import Final, Literal

import msgspec

Language = Literal["zh-CN", "en"]


class AlertTexts(msgspec.Struct, frozen=True):
    """The sentences of one language; the words in them come from `contract.glossary`.

    `zone`: what follows a time; `home_zone`: what follows a time in China's zone.
    """

    title: str
    about: str
    stations: str
    terminals: str
    since: str
    was: str
    was_open: str
    severity: str
    was_severity: str
    place: str
    area: str
    address: str
    no_address: str
    shard: str
    last_seen: str
    terminal: str
    terminal_short: str
    value: str
    measured: str
    causes: str
    shared: str
    concerned: str
    still_down: str
    concerned_terminals: str
    still_bad: str
    clears: str
    unknown_note: str
    title_with_kind: str
    by_hand: str
    was_by_hand: str
    by_hand_reason: str
    no_reason: str
    reopens: str
    acknowledged: str
    acting_for: str
    to_do: str
    number: str
    link: str
    link_to_acknowledge: str
    listing: str
    area_listing: str
    smallest_first: bool
    zone: str
    home_zone: str
    short_began: str
    short_over: str


_ZH: Final = AlertTexts(
    title="【{tag}】{what}",
    about="{topic}：{what}",
    stations="{n} 个服务点",
    terminals="{n} 台终端",
    since="自 {began} 起，已持续 {lasted}。",
    was="自 {began} 至 {ended}，历时 {lasted}。",
    was_open="自 {began} 至 {ended}，历时 {lasted}，其中应开放时间 {open}。",
    severity="级别：{severity}",
    was_severity="原级别：{severity}",
    place="服务点：{name}（{id}）",
    area="行政区划：{name}",
    address="地址：{address}",
    no_address="地址：未登记",
    shard="数据通道分片 {shard}",
    last_seen="最后一次心跳：{at}",
    terminal="终端：{terminal}",
    terminal_short="终端 {terminal}",
    value="数值",
    measured="{field} {value}，阈值 {threshold}",
    causes="原因：{causes}",
    shared="共同点：{cause} {name}",
    concerned="涉及 {n} 个服务点。",
    still_down="涉及 {n} 个服务点，其中 {down} 个尚未恢复。",
    concerned_terminals="涉及 {n} 台终端。",
    still_bad="涉及 {n} 台终端，其中 {down} 台尚未恢复。",
    clears="消除条件：{clears}",
    unknown_note="这是平台自身的问题：期间各服务点状态未知，不计为离线。",
    title_with_kind="【{tag}】{kind}：{what}",
    by_hand="由 {who} 人工关闭，故障尚未恢复。",
    was_by_hand="此前由 {who} 人工关闭。",
    by_hand_reason="关闭原因：{reason}",
    no_reason="未说明关闭原因。",
    reopens="若届时仍未恢复，将于 {at} 重新告警。",
    acknowledged="已由 {who} 确认。",
    acting_for="{account}（代 {person}）",
    to_do="处理：{advice}",
    number="故障编号 {id}",
    link="查看：{link}",
    link_to_acknowledge="查看并确认：{link}",
    listing="、",
    area_listing="",
    smallest_first=False,
    zone="（UTC{offset}）",
    home_zone="",
    short_began="{began}起",
    short_over="{ended}，历时{lasted}",
)
_EN: Final = AlertTexts(
    title="[{tag}] {what}",
    about="{topic}: {what}",
    stations="{n} stations",
    terminals="{n} terminals",
    since="Since {began}, for {lasted}.",
    was="From {began} to {ended}; it took {lasted}.",
    was_open="From {began} to {ended}; it took {lasted}, {open} of it within opening hours.",
    severity="Severity: {severity}",
    was_severity="Severity was: {severity}",
    place="Station: {name} ({id})",
    area="Area: {name}",
    address="Address: {address}",
    no_address="Address: not registered",
    shard="Message shard {shard}",
    last_seen="Last heartbeat: {at}",
    terminal="Terminal: {terminal}",
    terminal_short="terminal {terminal}",
    value="Value",
    measured="{field} {value}, threshold {threshold}",
    causes="Cause: {causes}",
    shared="In common: {cause} {name}",
    concerned="Stations concerned: {n}.",
    still_down="Stations concerned: {n}, still down: {down}.",
    concerned_terminals="Terminals concerned: {n}.",
    still_bad="Terminals concerned: {n}, not yet well: {down}.",
    clears="Cleared when {clears}",
    unknown_note="This is the platform's own trouble: meanwhile stations are unknown, not offline.",
    title_with_kind="[{tag}] {kind}: {what}",
    by_hand="Closed by hand by {who}; the fault is not over.",
    was_by_hand="Closed by hand by {who} before.",
    by_hand_reason="Reason for closing: {reason}",
    no_reason="No reason was given for closing.",
    reopens="If it is not over by then, people are alerted again at {at}.",
    acknowledged="Acknowledged by {who}.",
    acting_for="{account} (for {person})",
    to_do="To do: {advice}",
    number="Incident {id}",
    link="Details: {link}",
    link_to_acknowledge="Look and acknowledge: {link}",
    listing=", ",
    area_listing=", ",
    smallest_first=True,
    zone=" (UTC{offset})",
    home_zone=" (UTC+8)",
    short_began="since {began}",
    short_over="{ended}, took {lasted}",
)
TEXTS: Final[dict[Language, AlertTexts]] = {"zh-CN": _ZH, "en": _EN}
