"""The glossary: the words for people of every machine word, in English and in Chinese. Pure.

Console, notifications, dashboards and documents take their words from here. `contract.kinds` has the words of incident
kinds; no other module has a table of words. A family groups the words of one subject. docs/glossary.md is generated
from this module (``python -m contract.glossary_page``).

The words are those of public offices, and one thing has one word everywhere. `pipeline_blind` is 平台失明, "platform
blind", because readers know the platform and few know its pipeline.
"""

from collections.abc import Mapping
from typing import Final

from contract.kinds import KINDS
from contract.said import Said

Family = Mapping[str, Said]

LANGUAGES: Final = ("zh-CN", "en")

_KINDS: Final[Family] = {kind: entry.name for kind, entry in KINDS.items()}

_ALERTS_OPENED: Final[Family] = {kind: entry.opened for kind, entry in KINDS.items()} | {
    "other": Said("INCIDENT", "故障"),
}
_ALERTS_CLOSED: Final[Family] = {kind: entry.closed for kind, entry in KINDS.items()} | {
    "other": Said("CLOSED", "故障恢复"),
}
_ALERTS_PASSED: Final[Family] = {kind: entry.passed for kind, entry in KINDS.items()} | {
    "other": Said("WAS OPEN", "曾故障，已恢复"),
}

_ALERTS_AGAIN: Final[Family] = {
    "resolved": Said("CLOSED BY HAND, NOT OVER", "人工关闭，未恢复"),
    "reopened": Said("STILL WRONG", "仍未恢复"),
    "acknowledged": Said("ACKNOWLEDGED", "已确认"),
    "escalated": Said("ESCALATED", "升级通知"),
    "reminder": Said("REMINDER", "再次提醒"),
    "held": Said("THE REPAIR HELD", "修复有效"),
    "not_held": Said("THE REPAIR DID NOT HOLD", "修复无效"),
}
# What to do, one sentence each.
_ADVICE: Final[Family] = {kind: entry.advice for kind, entry in KINDS.items()} | {
    "platform": Said(
        "For the platform's administrator: look at the log of each part named here, and restart it if it hangs.",
        "请平台管理员查看所列部分的日志；停滞的，请重启。",
    ),
    "many_unusable": Said(
        "Check first what the stations have in common, such as software version or network.",
        "请先检查共同点，例如软件版本、网络运营商。",
    ),
    "other": Said("Look at the details.", "请查看详情。"),
    "over": Said("Nothing; it is over.", "无需操作。"),
    "over_for_most": Said("Go on with those that are not back.", "尚未恢复的，请继续处理。"),
    "resolved": Said("The fault is not over: go on with it.", "故障尚未排除，请继续处理。"),
    "acknowledged": Said("Nothing for others; it is acknowledged.", "已有人处理，其他人无需操作。"),
    "not_held": Said("The fault is there again: look for its cause anew.", "故障仍然存在，请重新查找原因。"),
}
_SPOT_ADVICE: Final[Family] = {
    "uncovered": Said(
        "Plan a station or a mobile service; if there is a station, register it.",
        "请规划新建服务点或安排流动服务；已有服务点的，请补登记。",
    ),
    "dark": Said(
        "Ask whether the station is still in use; if not, retire it in the registry.",
        "请核实该站点是否仍在使用；已停用的，请在登记中改为停用。",
    ),
    "shut": Said(
        "Ask why it did not open; if it was meant to be closed, declare a closure.",
        "请核实未按时开放的原因；确属停业的，请补办报备。",
    ),
    "idle": Said(
        "Check that what visitors use works, and ask whether the place is known.",
        "请检查供公众使用的设备是否正常，了解群众是否知晓。",
    ),
    "stale": Said(
        "Check why the resources are not updated, or update them by hand.", "请检查资源为何未更新，必要时人工更新。"
    ),
    "no_wifi": Said("Check power and cable of the access point.", "请检查无线接入点的供电和网线。"),
    "area_dark": Said(
        "Bring at least one station of the area back, or send a mobile service.",
        "请尽快恢复本区划内至少一个服务点，或安排流动服务。",
    ),
}
_RULE_ADVICE: Final[Family] = {
    "disk_full": Said("Free space on the terminal's disk.", "请清理该终端的磁盘空间。"),
    "hot": Said("Check fans, dust and room temperature.", "请检查风扇、积尘和室温。"),
    "memory_full": Said("Restart the program that takes the memory.", "请重启占用内存的程序。"),
    "service_down": Said("Restart the service on the terminal.", "请在该终端上重启此服务。"),
    "no_wifi": Said("Check power and cable of the access point.", "请检查无线接入点的供电和网线。"),
    "clock_wrong": Said("Set the terminal's clock and check its time server.", "请校准该终端的时钟，检查对时服务。"),
    "outbox_dropping": Said(
        "Check the terminal's network and disk: records are lost meanwhile.",
        "请检查该终端的网络和磁盘，期间记录会丢失。",
    ),
    "agent_too_old": Said("Update the agent on the terminal.", "请升级该终端上的软件。"),
}

_STATUSES: Final[Family] = {
    "open": Said("Open", "待处理"),
    "acknowledged": Said("Acknowledged", "处理中"),
    "closed": Said("Closed", "已关闭"),
}
_ACTIONS: Final[Family] = {
    "opened": Said("opened", "建单"),
    "updated": Said("changed", "变化"),
    "acknowledged": Said("acknowledged", "接手"),
    "assigned": Said("assigned", "指派"),
    "note": Said("remark", "说明"),
    "photo": Said("photo added", "添加照片"),
    "resolved": Said("closed by hand", "人工关闭"),
    "fixed": Said("repaired, to be verified", "已修复，待核实"),
    "cause": Said("cause found", "查明原因"),
    "held": Said("the repair held", "修复有效"),
    "not_held": Said("the repair did not hold", "修复无效"),
    "shelved": Said("set aside", "暂不计入"),
    "reopened": Said("opened again", "重新打开"),
    "closed": Said("closed", "关闭"),
    "notified": Said("alert sent", "已通知"),
    "not_told": Said("alert not needed any more", "不再通知"),
    "undelivered": Said("alert not sent", "未能通知"),
}
_PHASES: Final[Family] = {
    "opened": Said("opened", "发生"),
    "closed": Said("closed", "恢复"),
    "passed": Said("was open, is over", "曾发生，已恢复"),
    "resolved": Said("closed by hand", "人工关闭"),
    "reopened": Said("still wrong", "仍未恢复"),
    "acknowledged": Said("acknowledged", "已确认"),
    "escalated": Said("escalated", "升级通知"),
    "reminder": Said("reminder", "再次提醒"),
    "held": Said("the repair held", "修复有效"),
    "not_held": Said("the repair did not hold", "修复无效"),
}
# What a person found to be wrong.
_REPAIR_CAUSES: Final[Family] = {
    "power": Said("power", "供电"),
    "uplink": Said("network", "网络线路"),
    "agent": Said("software", "软件"),
    "hardware": Said("hardware", "硬件"),
    "platform": Said("the platform", "监测平台"),
    "tamper": Said("somebody interfered", "人为破坏或擅动"),
    "not_found": Said("nothing was found", "未查明"),
    "other": Said("something else", "其他"),
}
# What speaks for a cause of an incident.
_CAUSE_EVIDENCE: Final[Family] = {
    "platform_blind": Said("the platform itself does not hear the stations", "平台自身收不到现场消息"),
    "same_shard": Said("stations of one shard of the pipeline fell together", "同一数据通道分片的服务点同时中断"),
    "same_uplink": Said("stations of one network operator fell together", "同一网络运营商的服务点同时中断"),
    "same_feeder": Said("stations of one power feeder fell together", "同一供电线路的服务点同时中断"),
    "same_agent": Said("stations with one version of the agent fell together", "同一终端软件版本的服务点同时中断"),
    "two_identities": Said("devices and identities do not fit together", "设备与身份不符"),
    "ran_meanwhile": Said("it recorded that it ran while it was not heard", "未收到消息期间，本机记录显示仍在运行"),
    "same_boot": Said("after its return it has run since before the fault", "恢复后的记录显示其间未重启"),
    "new_boot": Said("it was started anew", "恢复前重新启动过"),
    "agent_rule": Said("a health rule about its software", "触发了终端软件的健康规则"),
    "program_stopped": Said("programs did not run", "有程序未运行"),
    "disk_full": Said("its disk was full", "磁盘已满"),
    "was_hot": Said("it was too hot", "温度过高"),
    "wifi_failed": Said("its access point did not work", "无线接入点不工作"),
    "slow_link": Said("its link was slow before", "此前网络缓慢"),
    "many_near": Said("stations near it are not heard either", "附近服务点也无消息"),
}
_REPAIR_OUTCOMES: Final[Family] = {
    "waiting": Said("being verified", "核实中"),
    "held": Said("the repair held", "修复有效"),
    "failed": Said("the repair did not hold", "修复无效"),
    "overtaken": Said("not verified", "未核实"),
}
_REFUSALS: Final[Family] = {
    "not_found": Said("there is no such incident.", "没有这项故障。"),
    "closed": Said("the incident is closed; only remarks can be added.", "故障已关闭，只能添加说明。"),
    "bad_eta": Said(
        "the time by which the end is expected is past or more than 90 days ahead: name another.",
        "预计恢复时间已过或超过 90 天：请重新填写。",
    ),
    "already_acknowledged": Said("it is acknowledged already.", "已有人接手。"),
    "empty": Said("write something first.", "请先填写内容。"),
    "too_long": Said("the text is too long, at most 4000 characters.", "文字太长，最多 4000 字。"),
    "bad_cause": Said("choose a cause from the list.", "请从列表中选择原因。"),
    "newer": Said(
        "its fault goes on as a newer incident: say there that it is repaired.", "故障已另立新单，请在新单中填写修复。"
    ),
    "only_share": Said(
        "the incident reaches beyond your areas. You can acknowledge your share of it, hand it over and add remarks. "
        "The person responsible for the whole area closes it by hand.",
        "故障超出您的区划范围。您可以接手、转交本辖区部分并添加说明；人工关闭由负责整个区域的人员操作。",
    ),
    "only_part": Said(
        "the incident reaches beyond your areas. The person responsible for the county, or for the whole area, acts on "
        "it.",
        "故障超出您的区划范围，由负责该县或整个区域的人员处理。",
    ),
}
# Where alerts go, besides addresses of people.
_TARGETS: Final[Family] = {"log": Said("the log file of alerts", "告警日志文件")}
_CHANNELS: Final[Family] = {
    "wecom": Said("WeCom", "企业微信"),
    "dingtalk": Said("DingTalk", "钉钉"),
    "feishu": Said("Feishu", "飞书"),
    "sms": Said("SMS", "短信"),
    "mail": Said("e-mail", "电子邮件"),
    "webhook": Said("webhook", "Webhook 接口"),
    "apprise": Said("other service", "其他服务"),
}
# What came of a message to one address.
_OUTCOMES: Final[Family] = {
    "taken": Said("taken", "已接收"),
    "throttled": Said("over the limit", "超出限额"),
    "refused": Said("refused", "被拒绝"),
    "failed": Said("failed", "失败"),
    "unknown": Said("not known", "结果不明"),
}
# Lines of the log of an escalation.
_ESCALATION: Final[Family] = {
    "no_route": Said("no route covers it, so nobody is told", "没有适用的通知路由，无人被通知"),
    "step_due": Said("step due", "到期，通知"),
    "nobody": Said("nobody can be told in this step, so the next is due at once", "此步无人可通知，立即进入下一步"),
    "told_above": Said("the people of this step are told of another part of it", "此步人员已由故障的其他部分通知"),
    "undeliverable": Said("cannot be reached, so the next step is due at once", "无法送达，立即进入下一步"),
    "end_of_route": Said("the route has no further step", "路由已无后续步骤"),
    "acknowledged": Said("acknowledged, so nobody else is told", "已有人接手，不再通知其他人"),
    "reminded": Said("the owner is reminded", "提醒负责人"),
    "owner_unknown": Said("the owner is no contact and cannot be reminded", "负责人不是联系人，无法提醒"),
    "eta_passed": Said("the expected end has passed: all begins anew", "已过预计恢复时间，重新通知"),
    "reopened": Said("it is back: all begins anew", "故障再次出现，重新通知"),
    "silenced": Said("silenced", "已屏蔽"),
    "held": Said("held until the station opens", "等到开放时间再通知"),
    "severity_rose": Said("graver than before", "级别上升"),
    "route_changed": Said("another route, for its severity", "因级别上升改用其他路由"),
    "grew": Said("a larger area: its people are told", "范围扩大，通知更大区域的人员"),
    "part_of_another": Said("part of a larger incident, which is told", "已并入更大的故障，由其通知"),
    "on_its_own": Said("no part of a larger incident any more", "不再属于更大的故障"),
    "excused": Said("excused by a closure", "报备期内"),
    "resolved": Said("closed by hand", "人工关闭"),
    "over": Said("over", "已恢复"),
}
_PAGE_STATUSES: Final[Family] = {
    "owed": Said("waiting", "待发送"),
    "sending": Said("being sent", "发送中"),
    "paid": Said("sent", "已送达"),
    "cancelled": Said("not sent", "不再发送"),
    "failed": Said("could not be sent", "未能送达"),
}
# Why somebody was not told, or nobody was.
_PAGE_REASONS: Final[Family] = {
    "acknowledged": Said("acknowledged before", "已有人接手"),
    "over": Said("over before", "此前已恢复"),
    "reopened": Said("open again", "故障再次出现"),
    "never_told": Said("was never told", "此前未被通知"),
    "no_channel": Said("no channel works", "没有可用的渠道"),
    "too_old": Said("too old", "时间过久"),
    "unreached": Said("every channel was tried in vain; the last is tried on", "各渠道均未成功，仍在重试"),
    "eta_passed": Said("told anew", "重新通知"),
    "route_changed": Said("told by another route", "改由其他路由通知"),
    "on_its_own": Said("told by itself since", "已改为单独通知"),
    "part_of_another": Said("part of a larger incident", "已并入更大的故障"),
    "excused": Said("excused by a closure", "报备期内"),
    "resolved": Said("closed by hand before", "此前已人工关闭"),
    "nobody_on_duty": Said("nobody is on duty", "无人值班"),
    "no_such_level": Said("the area has no such level", "没有这一级区划"),
    "outside_scope": Said("outside the scope", "不在范围内"),
}
_SHELVED_BY: Final[Family] = {
    "person": Said("by hand", "人工关闭"),
    "excused": Said("excused by a closure", "报备期内"),
}
_SEVERITIES: Final[Family] = {
    "info": Said("info", "提示"),
    "warning": Said("warning", "警告"),
    "critical": Said("critical", "严重"),
}

# Verdicts of stations, then what only a terminal or a stretch of time can be.
_VERDICTS: Final[Family] = {
    "online": Said("Online", "在线"),
    "unusable": Said("Not usable", "不可用"),
    "offline": Said("Offline", "离线"),
    "away": Said("Away", "暂离"),
    "closed": Said("Closed", "闭馆"),
    "excused": Said("Excused", "已报备"),
    "unknown": Said("Unknown", "未知"),
    "never_seen": Said("Never seen", "从未上线"),
    "suspended": Said("Suspended", "停用"),
    "conflicting": Said("Conflicting", "身份冲突"),
    "unproven": Said("Not proven", "尚未证实"),
    "presence": Said("Link down, running", "断网但在运行"),
}
_DOUBTS: Final[Family] = {
    "clock_missing": Said("the platform has received nothing that says so", "平台尚未收到时钟信号"),
    "clock_stale": Said("what the platform knows is too old", "平台的数据已过时"),
    "clock_blind": Said("the platform cannot see the stations", "平台看不到现场"),
    "state_unknown": Said("its silence proves nothing yet", "静默原因尚无法证实"),
    "set_aside": Said(
        "its data cannot be judged and is set aside: see the pipeline", "数据无法判断，已搁置，见数据通道"
    ),
}
_EVIDENCE: Final[Family] = {
    "live": Said("live heartbeats", "实时心跳"),
    "presence": Said("recorded while the link was down", "断网期间本机记录"),
    "none": Said("none", "无"),
}
_LIFECYCLES: Final[Family] = {
    "planned": Said("planned", "计划"),
    "commissioned": Said("in service", "在用"),
    "suspended": Said("suspended", "停用"),
    "retired": Said("retired", "撤销"),
}

_SPOTS: Final[Family] = {
    "uncovered": Said("Not covered", "未覆盖"),
    "dark": Said("Silent", "长期无声"),
    "shut": Said("Did not open", "应开未开"),
    "idle": Said("Not used", "无人使用"),
    "stale": Said("Old resources", "资源陈旧"),
    "no_wifi": Said("No Wi-Fi", "无线不通"),
    "area_dark": Said("No service in the area", "全域无服务"),
}
_CLEARS: Final[Family] = {
    "station_in_service": Said("a station of the area comes into service", "有服务点投入使用"),
    "heartbeat": Said("a heartbeat of the station arrives", "收到服务点的心跳"),
    "online_in_hours": Said("the station is online within its opening hours", "在开放时间内上线"),
    "session": Said("a visitor uses it", "有人使用"),
    "resource_applied": Said("a resource is brought up to date", "更新一项资源"),
    "wifi_works": Said("its access point works again", "无线接入点恢复工作"),
    "station_works": Said("a station of the area is online and usable", "区划内有服务点在线且可用"),
    "steady": Said("it stays as it is for a while", "不再频繁变化"),
}
_STAGES: Final[Family] = {
    "last_one": Said("one station left", "只剩最后一个服务点"),
    "dark_area": Said("no station left", "已无服务点可用"),
}

# What stations that fell together share.
_CAUSES: Final[Family] = {
    "area": Said("the same area", "同一行政区划"),
    "uplink": Said("the same network operator", "同一网络运营商"),
    "feeder": Said("the same power feeder", "同一供电线路"),
    "agent": Said("the same version of the agent", "同一终端软件版本"),
    "shard": Said("the same shard of the pipeline", "同一数据通道分片"),
}
# Why an incident opened, changed, or closed.
_REASONS: Final[Family] = {
    "gap": Said("the pipeline was interrupted", "数据通道中断"),
    "blind": Said("the pipeline is interrupted now", "数据通道正在中断"),
    "judge_silent": Said("the judge stands still", "判定进程停顿"),
    "behind": Said("the judge is behind the present", "判定落后于实时"),
    "database_hung": Said("the database did not answer", "数据库无响应"),
    "unstable": Said("the pipeline is interrupted again and again", "数据通道反复中断"),
    "shard_suspected": Said("most stations of a shard fell at one instant", "分片内大多数服务点同时中断"),
    "announced": Said("within an announced restart", "属于已公告的重启"),
    "took_longer": Said("the announced restart took longer", "超出已公告的重启时间"),
    "already_over": Said("it was over when it was found", "发现时已恢复"),
    "missed_heartbeats": Said("heartbeats missed", "心跳中断"),
    "heartbeat": Said("a heartbeat arrived", "收到心跳"),
    "last_will": Said("the terminal's connection broke", "终端连接断开"),
    "away_overdue": Said("away, and overdue", "告知离开后逾期未归"),
    "commissioned_offline": Said("offline when it was commissioned", "启用时即离线"),
    "registry": Said("the registry changed", "登记信息变更"),
    "two_boots": Said("two devices use one identity", "两台设备使用同一身份"),
    "one_boot": Said("one device uses two identities", "一台设备使用两个身份"),
    "numbers": Said("the numbers of its heartbeats do not rise", "心跳序号不再递增"),
    "identity_conflict": Said("identity conflict", "身份冲突"),
    "other_boot": Said("another device with its identity runs on", "同一身份的另一台设备仍在运行"),
    "other_unheard": Said(
        "the shard of the other device stands still, so it is not known whether that device runs on",
        "另一台设备所在的数据通道分片已无消息，无从得知其是否仍在运行",
    ),
    "not_open": Said("not up when it should have opened", "到开放时间仍未上线"),
    "said_unusable": Said("its terminals report that visitors cannot use it", "终端上报公众无法使用"),
    "never_seen": Said("never heard since it was commissioned", "启用后从未上线"),
    "common": Said("many terminals have the same problem at once", "多台终端同时出现同一问题"),
    "unknown": Said("not known", "不明"),
    "stays_down_alone": Said("the others are back, this one is not", "其他均已恢复，唯独此处未恢复"),
    "stays_unusable_alone": Said("the others can be used again, this one cannot", "其他均已恢复可用，唯独此处仍不可用"),
    "stays_down": Said("it is steady, and still down", "不再时断时续，仍处于离线"),
    "stays_unusable": Said("it is steady, and still cannot be used", "不再时断时续，仍不可用"),
    "common_cause": Said("others have the same cause", "与其他故障原因相同"),
    "part_of_larger": Said("part of a larger outage", "并入更大范围的中断"),
    "grew": Said("it concerns more than before", "涉及范围扩大"),
    "all_back": Said("all are back", "全部恢复"),
    "most_back": Said("most are back", "大多已恢复"),
    "half_back": Said("half of the stations are back", "半数服务点已恢复"),
    "person": Said("a person decided so", "人工确认"),
    "did_not_spread": Said("it did not become an outage of many", "未扩大为区域中断"),
    "usable": Said("visitors can use it", "可以使用"),
    "not_said": Said("its terminals do not report it any more", "不再上报不可用"),
    "steady": Said("it is steady again", "趋于稳定"),
    "flapping": Said("it comes and goes", "时断时续"),
    "deleted": Said("deleted from the registry", "已从登记中删除"),
    "not_in_service": Said("not in service any more", "已不在用"),
    "out_of_service": Said("its station is not in service any more", "服务点已不在用"),
    "terminal_removed": Said("the terminal was removed from the registry", "终端已从登记中移除"),
    "returned": Said("it came back", "已返回"),
    "excused": Said("excused by an approved closure", "在经批准的报备期内"),
    "still_wrong": Said("it is still wrong", "仍未恢复"),
    "verifying": Said("over after a repair, which is being verified", "修复后已恢复，正在核实"),
    "came_back": Said("it came back after the repair", "修复后故障再次出现"),
    "repaired": Said("repaired, and verified", "已修复并核实"),
    "not_repaired": Said("it was not repaired", "未修复"),
    "not_verified": Said(
        "a closure excuses the station, so the repair cannot be verified", "服务点在报备期内，无法核实修复"
    ),
    "stayed_over": Said("nothing was wrong since then", "此后未再出现故障"),
    "said_again": Said("said again later", "之后再次填报修复"),
    "moved": Said("the station moved to another area", "服务点划归其他区划"),
    "clocks_count_again": Said("the pipeline works again", "数据通道恢复"),
    "nobody_awaited": Said("no station should be open now", "此时无服务点应开放"),
    "closing_time": Said("closing time", "已到闭馆时间"),
    "part_of_a_larger_one": Said("part of a larger one", "并入更大范围的盲点"),
    "still_dark": Said("still no service", "仍无服务"),
    "no_target": Said("no target names it any more", "已无目标涉及"),
    "over": Said("the conflict is over", "冲突已解除"),
    "began": Said("the limit was passed", "超过阈值"),
    "cleared": Said("within the limit again", "回到阈值以内"),
    "quiet": Said("not reported any more", "不再上报"),
    "not_reported": Said("the terminal does not report the value any more", "终端不再上报该数值"),
    "not_fresh": Said("the records are too old to say anything about now", "数据过旧，不能说明现状"),
    "rule_changed": Said("the rule changed", "规则已变更"),
    "channel_refused": Said("its provider refuses the channel", "服务商拒绝该渠道"),
    "texts_refused": Said("its provider refused several messages for their text", "服务商因内容多次拒收消息"),
    "channel_fails": Said("no answer for a long time", "长时间无应答"),
    "channel_works": Said("it took a message again", "已能接收消息"),
    "seal_waits": Said("rows wait long for the seal of the ledger", "有记录长时间未封存进账本"),
    "sealed": Said("everything that waited is sealed", "等待的记录均已封存"),
    "kept_aside": Said("data that cannot be processed is set aside", "有数据无法处理，已被搁置"),
    "processed_again": Said("everything that was set aside is processed again", "被搁置的数据均已恢复处理"),
    "channel_replaced": Said("the contact has the channel no more", "联系人已不用该渠道"),
    "contact_retired": Said("the contact is not told of anything any more", "联系人已不再接收通知"),
}
# Why an interval of the pipeline's clock did not count.
_GAPS: Final[Family] = {
    "not_whole": Said("the bridge was not connected all the time", "桥接连接曾中断"),
    "tick_lost": Said("a clock message was lost", "时钟信号丢失"),
    "too_long": Said("too long between two clock messages", "时钟信号间隔过长"),
    "messages_lost": Said("messages of stations were lost", "服务点消息丢失"),
    "bridge_restarted": Said("the bridge was restarted", "桥接进程重启"),
    "bridge_changed": Said("another bridge took over", "改由另一桥接进程传送"),
}

_RULES: Final[Family] = {
    "disk_full": Said("disk nearly full", "磁盘将满"),
    "hot": Said("too hot", "温度过高"),
    "memory_full": Said("memory nearly full", "内存不足"),
    "service_down": Said("service down", "服务停止"),
    "no_wifi": Said("no Wi-Fi", "无线不通"),
    "clock_wrong": Said("clock wrong", "时钟不准"),
    "outbox_dropping": Said("records dropped", "终端丢弃记录"),
    "agent_too_old": Said("agent too old", "终端软件过旧"),
}
# The fields of health rules; UNITS has the unit of each.
_FIELDS: Final[Family] = {
    "cpu": Said("CPU", "处理器"),
    "memory": Said("Memory", "内存"),
    "disk": Said("Disk", "磁盘"),
    "temperature": Said("Temperature", "温度"),
    "rtt_ms": Said("Round trip", "网络往返"),
    "wifi": Said("Wi-Fi", "无线网络"),
    "services": Said("Services", "服务"),
    "clock_offset": Said("Clock error", "时钟偏差"),
    "outbox_dropped": Said("Records dropped", "丢弃的记录"),
    "agent": Said("Agent version", "终端软件版本"),
}
UNITS: Final[Family] = {
    "cpu": Said("%", "%"),
    "memory": Said("%", "%"),
    "disk": Said("%", "%"),
    "temperature": Said("°C", "°C"),
    "rtt_ms": Said("ms", "毫秒"),
    "clock_offset": Said("s", "秒"),
    "outbox_dropped": Said("records", "条"),
}
"""The units of the figures that have one. Fractions are shown as per cent."""

_TERMINALS: Final[Family] = {
    "pc": Said("computer", "电脑"),
    "kiosk": Said("kiosk", "自助终端"),
    "mobile": Said("mobile terminal", "移动终端"),
    "wifi_ap": Said("Wi-Fi access point", "无线接入点"),
    "settop": Said("set-top box", "机顶盒"),
}
# The words that registries use most. A registry may have words of its own, which are shown as they are.
_STATIONS: Final[Family] = {
    "library": Said("library", "图书馆"),
    "reading_room": Said("reading room", "阅览室"),
    "cultural_station": Said("cultural station", "文化站"),
    "border_post": Said("border post", "边防哨所"),
    "school": Said("school", "学校"),
    "kiosk": Said("kiosk", "自助服务点"),
}
_UPLINKS: Final[Family] = {
    "telecom": Said("China Telecom", "中国电信"),
    "unicom": Said("China Unicom", "中国联通"),
    "mobile": Said("China Mobile", "中国移动"),
    "broadnet": Said("China Broadnet", "中国广电"),
    "satellite": Said("satellite", "卫星"),
}
_CLOSURES: Final[Family] = {
    "closure": Said("closure", "闭馆"),
    "maintenance": Said("maintenance", "维护"),
}
_CLOSURE_STATUSES: Final[Family] = {
    "declared": Said("to be approved", "待批准"),
    "approved": Said("approved", "已批准"),
    "withdrawn": Said("withdrawn", "已撤回"),
}
_SILENCE_STATUSES: Final[Family] = {
    "current": Said("in force", "生效中"),
    "planned": Said("planned", "未开始"),
    "over": Said("over", "已结束"),
}
_SCOPES: Final[Family] = {
    "station": Said("station", "服务点"),
    "area": Said("area", "区划"),
    "programme": Said("programme", "工程"),
}
_DAYS: Final[Family] = {
    "workday": Said("working day", "工作日"),
    "rest": Said("day of rest", "休息日"),
    "holiday": Said("public holiday", "法定节假日"),
}

# Why a message is refused and kept as a dead letter.
_DEAD_LETTERS: Final[Family] = {
    "bad_topic": Said(
        "The topic is not `milepost/v1/STATION/TERMINAL/CHANNEL`, or an id has a wrong character.",
        "主题或其中的编号不符合约定",
    ),
    "unknown_channel": Said(
        "The last part of the topic is no channel of the contract.",
        "主题的最后一段不是约定的通道",
    ),
    "too_large": Said(
        "The payload is larger than the limit. Send fewer records a message.",
        "消息超过长度上限",
    ),
    "not_utf8": Said(
        "The payload is not UTF-8.",
        "消息不是 UTF-8 编码",
    ),
    "nul_character": Said(
        "A text has the character U+0000.",
        "文字中含有字符 U+0000",
    ),
    "bad_json": Said(
        "The payload is not JSON (NaN and Infinity are not either), or is nested too deeply.",
        "消息不是 JSON，或嵌套过深",
    ),
    "unknown_version": Said(
        "`v` is not 1.",
        "`v` 不是 1，约定版本未知",
    ),
    "unknown_kind": Said(
        "The `kind` of a record is not known.",
        "记录的类别未知",
    ),
    "missing_field": Said(
        "A required field is missing. The detail names it.",
        "缺少必填字段",
    ),
    "wrong_type": Said(
        "A field has another type, for example a number as text. The detail names it.",
        "字段类型不符",
    ),
    "out_of_range": Said(
        "A number, text or list is outside its bounds. The detail names it.",
        "数值、文字或列表超出范围",
    ),
    "too_many_terminals": Said(
        "The station sends under more terminal ids than it may have.",
        "服务点的终端编号过多",
    ),
    "not_an_entry": Said("The value on Kafka is nothing that a bridge writes.", "Kafka 中的内容不是桥接写入的"),
    "not_storable": Said("The database refuses it.", "数据库无法保存"),
    "not_judged": Said("It is stored, and the health rules cannot judge it.", "已保存，但健康规则无法判断"),
    "other_content": Said("Under its id another record is stored.", "同一编号下已有另一条记录"),
    "not_compared": Said("Its id counts as stored, and the record was not found.", "编号已登记，但找不到对应记录"),
}

# The parts of the platform, and what the watch finds of them.
_PARTS: Final[Family] = {
    "database": Said("the database", "数据库"),
    "kafka": Said("Kafka", "Kafka"),
    "judge": Said("the judge", "判定进程"),
    "incidents": Said("the incident process", "故障进程"),
    "deliver": Said("the sending of alerts", "通知进程"),
    "audit": Said("the seal of the ledger", "账本封存"),
    "health": Said("the evaluation of health rules", "健康评估"),
    "ingest": Said("the storing of records", "入库进程"),
    "deadletters": Said("the storing of refused messages", "死信入库"),
    "api": Said("console and API", "网页与接口"),
}
_PROCESS_ROLES: Final[Family] = {
    "working": Said("works", "运行"),
    "leading": Said("works, others stand by", "主用"),
    "standby": Said("stands by", "备用"),
}
_PART_FAULTS: Final[Family] = {
    "unreachable": Said("cannot be reached", "连不上"),
    "no_sign": Said("gives no sign of life", "没有存活信号"),
    "stuck": Said("stands still although it has work", "停滞，积压未处理"),
}
_PART_EFFECTS: Final[Family] = {
    "database": Said("Meanwhile nothing is judged and no alert is sent.", "期间不判定、不通知。"),
    "kafka": Said("Meanwhile no heartbeat and no record arrives.", "期间收不到任何心跳与记录。"),
    "judge": Said("Meanwhile no station is judged online or offline.", "期间不判定在线与离线。"),
    "incidents": Said("Meanwhile no incident opens.", "期间不产生故障。"),
    "deliver": Said("Meanwhile no alert of an incident is sent.", "期间故障不会通知到人。"),
    "ingest": Said("Records wait in Kafka and at the terminals; none is lost.", "记录留在 Kafka 与终端，不会丢失。"),
}

_FILES: Final[Family] = {
    "areas": Said("areas", "行政区划"),
    "stations": Said("stations", "服务点"),
    "closures": Said("closures", "报备"),
    "targets": Said("targets", "覆盖目标"),
    "schedules": Said("schedules", "开放时间"),
    "overrides": Said("single days", "单日开放时间"),
    "days": Said("kinds of days", "日期类别"),
    "contacts": Said("contacts", "联系人"),
    "duty": Said("duty", "值班"),
    "substitutes": Said("substitutes", "代班"),
    "routes": Said("routes", "路由"),
    "successions": Said("successions of areas", "区划变更"),
}
_PASSED_OVER: Final[Family] = {
    "not_on_duty": Said("not on duty at this time", "此时不值班"),
    "outside_rotation": Said("a week of others in the rotation", "本周由他人轮值"),
    "absent": Said("absent, with a substitute", "缺勤，有代班人"),
    "retired": Said("no longer told of anything", "已停用"),
    "unknown_contact": Said("not registered, or outside the scope", "未登记，或不在范围内"),
    "unreadable_times": Said("its times cannot be read", "值班时间无法识别"),
    "no_channel": Said("without a channel", "没有通知渠道"),
    "over_most": Said("more than the step tells", "超过此步的人数上限"),
}
_ROUTE_VERDICTS: Final[Family] = {
    "chosen": Said("taken", "采用"),
    "shorter_area": Said("the one taken is for a nearer area", "已采用的路由区划更近"),
    "less_narrow": Said("the one taken is narrower", "已采用的路由条件更细"),
    "later_id": Said("the one taken comes first by its id", "已采用的路由编号在前"),
    "other_area": Said("another area", "区划不符"),
    "other_kind": Said("other kinds of incidents", "事件类型不符"),
    "other_severity": Said("other severities", "严重程度不符"),
    "other_programme": Said("another programme", "工程不符"),
    "other_station_kind": Said("another kind of station", "服务点类型不符"),
}
_NOBODY_TOLD: Final[Family] = {
    "no_route": Said("no route covers it", "没有适用的路由"),
    "nobody_has_role": Said("nobody has the role", "没有人担任该角色"),
    "nobody_on_duty": Said("nobody is on duty", "无人值班"),
    "no_channel": Said("nobody on duty has a channel", "值班人员没有通知渠道"),
    "only_rooms": Said("a room is told, but no person", "只通知群聊，未通知到人"),
    "no_such_level": Said("the area has no such level", "没有这一级区划"),
    "outside_scope": Said("outside the scope", "不在范围内"),
    "never_open": Said("the station does not open long enough", "服务点开放时间不足"),
}
_LEVELS: Final[Family] = {
    "province": Said("province", "省级"),
    "prefecture": Said("prefecture", "地级"),
    "county": Said("county", "县级"),
    "township": Said("township", "乡级"),
    "village": Said("village", "村级"),
}
_METRICS: Final[Family] = {
    "stations": Said("number of stations", "服务点数"),
    "in_service": Said("share of stations in service", "入网率"),
    "covered": Said("share of areas that are covered", "覆盖率"),
    "covered_areas": Said("number of areas that are covered", "覆盖区划数"),
    "online_rate": Said("online rate", "在线率"),
    "service_rate": Said("service rate", "服务率"),
    "sessions": Said("sessions", "服务人次"),
    "content_bytes": Said("bytes of content", "资源容量"),
    "content_titles": Said("content packages", "资源包数"),
}
# Whether the promise of a programme is kept.
_TARGET_STATUS: Final[Family] = {
    "reached": Said("reached", "已完成"),
    "missed": Said("missed", "逾期未完成"),
    "open": Said("open", "进行中"),
    "no_promise": Said("no promised amount", "未定目标值"),
    "unmeasured": Said("no data", "无数据"),
}
_FIGURES: Final[Family] = {
    "scheduled_ms": Said("scheduled open time", "应开放时长"),
    "excused_ms": Said("excused time", "报备时长"),
    "unknown_ms": Said("unknown time", "状态未知时长"),
    "due_ms": Said("time due", "应在线时长"),
    "online_ms": Said("time online", "在线时长"),
    "service_due_ms": Said("service time due", "应服务时长"),
    "usable_ms": Said("time usable", "可用时长"),
    "online_rate": Said("online rate", "在线率"),
    "service_rate": Said("service rate", "服务率"),
    "coverage": Said("coverage", "数据覆盖率"),
    "has_headline": Said("enough coverage for a rate", "数据覆盖率达标"),
}
_CRITERIA: Final[Family] = {name: _FIGURES[name] for name in ("online_rate", "service_rate", "coverage")} | {
    "working_share": Said("share of terminals that work", "设备完好率"),
    "use_rate": Said("use rate", "使用率"),
    "satisfaction": Said("satisfaction", "满意度"),
}
_RESULTS: Final[Family] = {
    "pass": Said("pass", "合格"),
    "warn": Said("warning", "警示"),
    "fail": Said("fail", "不合格"),
    "none": Said("not assessed", "未评定"),
}
_REVISION_CAUSES: Final[Family] = {
    "presence": Said("records made while the link was down", "断网期间本机记录补传"),
    "closure": Said("a closure was approved or withdrawn", "报备批准或撤回"),
    "schedule": Said("opening hours were edited", "开放时间修改"),
    "lifecycle": Said("the lifecycle was edited", "服务点的状态修改"),
    "judged": Said("transitions or gaps were corrected", "在线记录或平台失明时段更正"),
    "area": Said("the station belongs to another area", "所属区划变更"),
    "correction": Said("a correction was approved", "更正获批准"),
}
_FINDINGS: Final[Family] = {
    "finding": Said("finding", "审计意见"),
    "dispute": Said("dispute", "异议"),
}
_FINDING_STATUS: Final[Family] = {
    "open": Said("not answered", "待答复"),
    "answered": Said("answered", "已答复"),
    "closed": Said("closed", "已办结"),
}
_COUNTS_AS: Final[Family] = {
    "up": Said("online and usable", "在线且可用"),
    "down": Said("offline", "离线"),
    "unknown": Said("unknown", "情况不明"),
    "excused": Said("excused", "免责"),
    "observed": Said("as observed", "按监测结果"),
}
_CORRECTION_STATUS: Final[Family] = {
    "proposed": Said("proposed", "待批准"),
    "approved": Said("approved", "已批准"),
    "refused": Said("refused", "未批准"),
}
_TERMS: Final[Family] = {
    "area": Said("area", "行政区划"),
    "station": Said("station", "服务点"),
    "terminal": Said("terminal", "终端"),
    "heartbeat": Said("heartbeat", "心跳"),
    "record": Said("record", "记录"),
    "schedule": Said("opening hours", "开放时间"),
    "closure": Said("closure", "报备"),
    "incident": Said("incident", "故障"),
    "share": Said("share of an incident", "辖区部分"),
    "pipeline": Said("pipeline", "数据通道"),
    "shard": Said("shard", "分片"),
    "pulse": Said("pulse", "脉搏"),
}

# What an incident's detail says, by its field.
_DETAILS: Final[Family] = {
    "reason": Said("Reason", "原因"),
    "causes": Said("Reasons", "原因"),
    "reasons": Said("Of the pipeline", "数据通道"),
    "partitions": Said("Partitions", "分区"),
    "seen_at": Said("Last heartbeat", "最后一次心跳"),
    "fixed_at": Said("Repaired, as was said", "填报修复时间"),
    "fault_ended": Said("Fault over; being verified", "故障已恢复，核实中"),
    "back_at": Said("Fault back", "故障再次出现"),
    "kind": Said("Kind of blind spot", "盲点类别"),
    "clears": Said("Cleared when", "消除条件"),
    "cause": Said("In common", "共同点"),
    "name": Said("Name", "名称"),
    "share": Said("Proportion", "占比"),
    "terminal": Said("Terminal", "终端"),
    "rule": Said("Rule", "规则"),
    "subject": Said("Of", "对象"),
    "field": Said("Figure", "指标"),
    "value": Said("Value", "数值"),
    "threshold": Said("Threshold", "阈值"),
    "severity": Said("Severity", "级别"),
    "since": Said("Since", "自"),
    "offline_since": Said("Offline since", "离线始于"),
    "unusable_since": Said("Not usable since", "不可用始于"),
    "instant": Said("Fell together at", "同时中断于"),
    "children": Said("Concerned", "涉及数量"),
    "expected": Said("Expected when it opened", "预计涉及"),
    "ended_by": Said("Ended because", "结束原因"),
    "changes": Said("Changes", "变化次数"),
    "as_of": Said("As of", "数据时间"),
    "stage": Said("How far", "程度"),
    "stations": Said("Stations that should be open", "应开放的服务点"),
    "waiting": Said("Not known yet", "等待结果"),
    "never_seen": Said("Never seen", "从未上线"),
    "lost": Said("Had stations before", "曾有服务点"),
    "days": Said("Days", "日期"),
    "targets": Said("Targets", "目标"),
    "back_by": Said("Back by", "预计返回"),
    "boot": Said("Boot", "启动标识"),
    "with": Said("With", "另一方"),
    "quiet": Said("Listed only", "仅列出"),
    "gaps": Said("Interruptions in ten minutes", "十分钟内中断次数"),
    "gaps_s": Said("Time interrupted in ten minutes", "十分钟内中断时长"),
    "gaps_until": Said("Interrupted until", "中断截至"),
    "announced_by": Said("Restart announced by", "重启公告人"),
    "announced_remark": Said("Restart announced for", "公告委托人"),
    "announced_reason": Said("Reason for the restart", "重启原因"),
    "resolved_by": Said("Closed by", "关闭人"),
    "resolved_remark": Said("Closed for", "关闭委托人"),
    "resolved_reason": Said("Reason for closing", "关闭原因"),
    "shelved_by": Said("How it was closed", "关闭方式"),
    "reopened": Said("Times opened again", "重新打开次数"),
    "contact": Said("Contact", "联系人"),
    "contacts": Said("Contacts concerned", "涉及联系人"),
    "channel": Said("Channel", "通知渠道"),
    "answer": Said("Answer", "应答"),
}
_ROLES: Final[Family] = {
    "admin": Said("Administrator", "管理员"),
    "supervisor": Said("Supervisor", "主管"),
    "technician": Said("Technician", "运维人员"),
    "auditor": Said("Auditor", "审计员"),
}
_ROLE_ACTS: Final[Family] = {
    "admin": Said("everything, including accounts, tokens and the platform", "全部操作，包括管理账户、令牌和平台"),
    "supervisor": Said(
        "acknowledges, assigns and closes incidents; declares and approves closures; changes the registry",
        "接手、指派和关闭故障，申报和批准报备，修改登记信息",
    ),
    "technician": Said(
        "acknowledges and assigns incidents, adds notes, declares closures", "接手和指派故障，添加说明，申报报备"
    ),
    "auditor": Said("reads everything, makes and closes findings", "查看全部内容，提出和办结审计意见"),
}
_PERMISSIONS: Final[Family] = {
    "read": Said("See stations and incidents", "查看服务点和故障"),
    "read_history": Said(
        "See the pipeline, refused messages and unregistered stations", "查看数据通道、被拒收的消息和未登记的服务点"
    ),
    "read_ledger": Said("See the ledger", "查看台账"),
    "export": Said("Export", "导出"),
    "acknowledge": Said("Acknowledge incidents", "接手故障"),
    "hand_over": Said("Hand incidents over", "转交故障"),
    "note": Said("Add notes", "添加说明"),
    "repair": Said("Report repairs", "登记维修"),
    "declare_closure": Said("Declare closures", "申报报备"),
    "resolve": Said("Close incidents by hand", "人工关闭故障"),
    "assign": Said("Assign incidents", "指派故障"),
    "approve_closure": Said("Approve closures", "批准报备"),
    "dispute": Said("Dispute times of stations", "对时段提出异议"),
    "make_finding": Said("Make findings", "提出审计意见"),
    "answer_finding": Said("Answer findings and disputes", "答复审计意见和异议"),
    "close_finding": Said("Close findings and disputes", "办结审计意见和异议"),
    "correct": Said("Correct history, with a second person", "更正历史（须两人）"),
    "assess": Said("Make assessments", "进行考核"),
    "edit_registry": Said("Change the registry", "修改登记信息"),
    "silence": Said("Silence alerts", "屏蔽告警"),
    "edit_routes": Said("Change who is alerted", "修改告警去向"),
    "command": Said("Send commands to terminals", "向终端下发命令"),
    "manage_platform": Said("Manage the platform", "管理平台"),
    "manage_accounts": Said("Manage accounts", "管理账户"),
    "manage_keys": Said("Manage keys", "管理密钥"),
}
_ACCOUNT_STATES: Final[Family] = {
    "enabled": Said("Enabled", "启用"),
    "no_password": Said("No password yet", "尚无密码"),
    "disabled": Said("Disabled", "已停用"),
}
_TOKEN_STATES: Final[Family] = {
    "valid": Said("Valid", "有效"),
    "ending": Said("Expires soon", "即将到期"),
    "expired": Said("Expired", "已过期"),
    "revoked": Said("Revoked", "已吊销"),
}

_DUTY_ROLES: Final[Family] = {
    "technician": Said("technician", "技术员"),
    "lead": Said("lead", "负责人"),
    "head": Said("head", "主任"),
}

WORDS: Final[Mapping[str, Family]] = {
    "term": _TERMS,
    "kind": _KINDS,
    "alert_opened": _ALERTS_OPENED,
    "alert_closed": _ALERTS_CLOSED,
    "alert_passed": _ALERTS_PASSED,
    "alert_again": _ALERTS_AGAIN,
    "advice": _ADVICE,
    "spot_advice": _SPOT_ADVICE,
    "rule_advice": _RULE_ADVICE,
    "status": _STATUSES,
    "severity": _SEVERITIES,
    "verdict": _VERDICTS,
    "doubt": _DOUBTS,
    "evidence": _EVIDENCE,
    "cause": _CAUSES,
    "reason": _REASONS,
    "gap": _GAPS,
    "spot": _SPOTS,
    "clears": _CLEARS,
    "stage": _STAGES,
    "rule": _RULES,
    "field": _FIELDS,
    "unit": UNITS,
    "action": _ACTIONS,
    "phase": _PHASES,
    "target": _TARGETS,
    "channel": _CHANNELS,
    "duty_role": _DUTY_ROLES,
    "outcome": _OUTCOMES,
    "refusal": _REFUSALS,
    "escalation": _ESCALATION,
    "page_status": _PAGE_STATUSES,
    "page_reason": _PAGE_REASONS,
    "shelved_by": _SHELVED_BY,
    "lifecycle": _LIFECYCLES,
    "terminal_type": _TERMINALS,
    "station_kind": _STATIONS,
    "uplink": _UPLINKS,
    "closure": _CLOSURES,
    "closure_status": _CLOSURE_STATUSES,
    "silence_status": _SILENCE_STATUSES,
    "scope": _SCOPES,
    "day_class": _DAYS,
    "file": _FILES,
    "passed_over": _PASSED_OVER,
    "route_verdict": _ROUTE_VERDICTS,
    "nobody_told": _NOBODY_TOLD,
    "repair_cause": _REPAIR_CAUSES,
    "repair_outcome": _REPAIR_OUTCOMES,
    "cause_evidence": _CAUSE_EVIDENCE,
    "level": _LEVELS,
    "metric": _METRICS,
    "target_status": _TARGET_STATUS,
    "figure": _FIGURES,
    "criterion": _CRITERIA,
    "assessment_result": _RESULTS,
    "revision_cause": _REVISION_CAUSES,
    "finding": _FINDINGS,
    "finding_status": _FINDING_STATUS,
    "counts_as": _COUNTS_AS,
    "correction_status": _CORRECTION_STATUS,
    "deadletter": _DEAD_LETTERS,
    "part": _PARTS,
    "process_role": _PROCESS_ROLES,
    "part_fault": _PART_FAULTS,
    "part_effect": _PART_EFFECTS,
    "detail": _DETAILS,
    "role": _ROLES,
    "role_acts": _ROLE_ACTS,
    "permission": _PERMISSIONS,
    "account_state": _ACCOUNT_STATES,
    "token_state": _TOKEN_STATES,
}
"""The words of each family, by machine word."""

_ANY: Final = ("reason", "gap", "clears", "spot", "cause", "rule", "lifecycle", "verdict")
"""Families of the words that Milepost writes into the history of an incident."""


def word(family: str, name: str, language: str) -> str:
    """The word of a family in `language` (zh-CN or en); an unknown `name` is returned unchanged.

    A later version or a registry may have written an unknown name.
    """
    found = WORDS.get(family, {}).get(name)
    return name if found is None else found.text(language)


def any_word(name: str, language: str) -> str:
    """The word for a reason of any family in `_ANY`; an unknown `name` is returned unchanged."""
    return next((word(family, name, language) for family in _ANY if name in WORDS[family]), name)
