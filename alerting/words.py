"""What machine words about incidents mean, in zh-CN and en: for messages, pages and dashboards alike. Pure."""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("zh-CN", "en")

WORDS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    # kinds of incidents
    "kind": {
        "station_offline": ("服务点离线", "Station offline"),
        "area_outage": ("区域中断", "Area outage"),
        "blind_spot": ("盲点", "Blind spot"),
        "health": ("设备健康", "Health"),
        "overdue_return": ("逾期未归", "Overdue return"),
        "identity_conflict": ("身份冲突", "Identity conflict"),
        "unusable": ("不可用", "Not usable"),
        "pipeline_blind": ("数据通道失明", "Pipeline blind"),
        "flapping": ("时断时续", "Flapping"),
        "never_seen": ("从未上线", "Never seen"),
    },
    # kinds of blind spots
    "spot": {
        "uncovered": ("未覆盖", "Not covered"),
        "dark": ("长期无声", "Silent"),
        "shut": ("应开未开", "Did not open"),
        "idle": ("无人使用", "Not used"),
        "stale": ("资源陈旧", "Stale resources"),
        "no_wifi": ("无线不通", "No Wi-Fi"),
        "area_dark": ("全域无服务", "No service in the area"),
    },
    # what would clear a blind spot
    "clears": {
        "station_in_service": ("有服务点投入使用", "a station of the area comes into service"),
        "heartbeat": ("收到服务点的心跳", "a heartbeat of the station"),
        "online_in_hours": ("在开放时间内上线", "the station is online within its opening hours"),
        "session": ("有人使用", "somebody uses it"),
        "resource_applied": ("更新一项资源", "a resource is brought up to date"),
        "wifi_works": ("无线接入点恢复工作", "its access point works again"),
        "station_works": ("区划内有服务点在线且可用", "a station of the area is online and usable"),
        "common_cause": ("与其他故障原因相同", "others have the same cause"),
        "part_of_larger": ("并入更大范围的中断", "part of a larger outage"),
        "steady": ("不再频繁变化", "it stays as it is for a while"),
    },
    # how far a spot of an area has come
    "stage": {
        "last_one": ("只剩最后一个服务点", "one station left"),
        "dark_area": ("已无服务点可用", "no station left"),
    },
    # why a verdict is unknown
    "doubt": {
        "clock_missing": ("平台尚未收到时钟信号", "the platform has no clock for it yet"),
        "clock_stale": ("平台的数据已过时", "what the platform knows is too old"),
        "clock_blind": ("平台看不到现场", "the platform cannot see the field"),
        "state_unknown": ("静默原因尚无法证实", "its silence proves nothing yet"),
        "set_aside": (
            "数据无法判断，已搁置，见数据通道",
            "it cannot be judged and is set aside: see the pipeline",
        ),
    },
    # what stations that fell together share
    "cause": {
        "area": ("同一行政区划", "the same area"),
        "uplink": ("同一网络运营商", "the same network operator"),
        "feeder": ("同一供电线路", "the same power feeder"),
        "agent": ("同一终端软件版本", "the same version of the agent"),
        "shard": ("同一数据通道分片", "the same shard of the pipeline"),
    },
    # why an incident opened
    "reason": {
        "gap": ("消息通道中断", "the message pipeline was interrupted"),
        "blind": ("消息通道不计时", "the message pipeline is interrupted"),
        "judge_silent": ("判定进程停顿", "the judge stands still"),
        "behind": ("判定落后于实时", "the judge is behind the present"),
        "database_hung": ("数据库无响应", "the database did not answer"),
        "unstable": ("消息通道反复中断", "the message pipeline is interrupted again and again"),
        "missed_heartbeats": ("心跳中断", "heartbeats missed"),
        "last_will": ("终端连接断开", "the terminal's connection broke"),
        "away_overdue": ("告知离开后逾期未归", "away, and overdue"),
        "commissioned_offline": ("启用时即离线", "offline when it was commissioned"),
        "registry": ("登记信息变更", "the registry changed"),
        "two_boots": ("两台设备使用同一身份", "two devices use one identity"),
        "one_boot": ("一台设备使用两个身份", "one device uses two identities"),
        "numbers": ("心跳序号不再递增", "its heartbeats' numbers do not rise"),
        "identity_conflict": ("身份冲突", "identity conflict"),
        "other_boot": ("同一身份的另一台设备仍在运行", "another device with its identity runs on"),
        "other_unheard": (
            "另一台设备所在的数据通道分片已无消息，无从得知其是否仍在运行",
            "nobody knows whether the other device runs on: the shard that it was heard through stands still",
        ),
        "not_open": ("到开放时间仍未上线", "not up when it should have opened"),
        "said_unusable": ("终端上报公众无法使用", "its terminals say that no visitor can use it"),
        "never_seen": ("启用后从未上线", "never heard since it was commissioned"),
        "common": ("多台终端同时出现同一问题", "many terminals have the same at once"),
        "unknown": ("不明", "not known"),
        # why it closed, or changed
        "stays_down_alone": ("其他均已恢复，唯独此处未恢复", "the others are back, this one is not"),
        "stays_unusable_alone": ("其他均已恢复可用，唯独此处仍不可用", "the others can be used again, this one cannot"),
        "stays_down": ("不再时断时续，仍处于离线", "it no longer comes and goes, and is down"),
        "stays_unusable": ("不再时断时续，仍不可用", "it no longer comes and goes, and nobody can use it"),
        "grew": ("涉及范围扩大", "it concerns more than before"),
        "all_back": ("全部恢复", "all are back"),
        "most_back": ("大多已恢复", "most are back"),
        "did_not_spread": ("未扩大为区域中断", "it did not come to an outage of many"),
        "usable": ("可以使用", "visitors can use it"),
        "not_said": ("不再上报不可用", "it does not say any more that nobody can use it"),
        "steady": ("趋于稳定", "it is steady again"),
        "flapping": ("时断时续", "it comes and goes"),
        "deleted": ("已从登记中删除", "deleted from the registry"),
        "not_in_service": ("已不在役", "not in service any more"),
        "returned": ("已返回", "it came back"),
        "excused": ("在经批准的报备期内", "excused by an approved closure"),
        "still_wrong": ("仍未恢复", "it is still wrong"),
        "moved": ("服务点划归其他区划", "the station moved to another area"),
        "clocks_count_again": ("平台时钟恢复", "the pipeline's clocks count again"),
        "nobody_awaited": ("此时无服务点应开放", "no station should be open now"),
        "closing_time": ("已到闭馆时间", "closing time"),
        "part_of_a_larger_one": ("并入更大范围的盲点", "part of a larger one"),
        "still_dark": ("仍无服务", "still no service"),
        "no_target": ("已无目标涉及", "no target names it any more"),
    },
    # health rules that Milepost ships
    "rule": {
        "disk_full": ("磁盘将满", "disk nearly full"),
        "hot": ("温度过高", "too hot"),
        "memory_full": ("内存不足", "memory nearly full"),
        "service_down": ("服务停止", "service down"),
        "no_wifi": ("无线不通", "no Wi-Fi"),
        "clock_wrong": ("时钟不准", "clock wrong"),
        "outbox_dropping": ("终端丢弃记录", "records dropped"),
        "agent_too_old": ("终端软件过旧", "agent too old"),
    },
    "severity": {"info": ("提示", "info"), "warning": ("警告", "warning"), "critical": ("严重", "critical")},
}


def word(family: str, name: str, language: str) -> str:
    """The word of a family; a name that is not in the table, as a later version writes it, stays as it is."""
    found = WORDS.get(family, {}).get(name)
    return name if found is None else found[LANGUAGES.index(language)]


_ANY: Final = ("reason", "clears", "spot", "cause", "rule")


def any_word(name: str, language: str) -> str:
    """The word for a machine's reason, of whatever family; one that is in no table stays as it is."""
    return next((word(family, name, language) for family in _ANY if name in WORDS[family]), name)
