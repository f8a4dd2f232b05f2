"""The arguments of commands in addition to their settings. It imports no other module of ours, so help appears fast."""

import argparse
from collections.abc import Callable
from pathlib import Path

Say = Callable[[str, str], str]
"""Takes a text in English and in Chinese, and returns the one in the reader's language."""


def up(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost up`."""
    parser.add_argument(
        "--stations",
        type=int,
        default=0,
        metavar="N",
        help=say("also simulate N stations (default 0)", "同时模拟 N 个服务点（默认 0）"),
    )
    parser.add_argument(
        "--history",
        metavar="90d",
        help=say(
            "in a new data directory: give these stations a made-up history of some days",
            "仅限新的数据目录：为这些服务点生成若干天的虚构历史数据",
        ),
    )


def history(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost history`."""
    parser.add_argument(
        "--stations",
        type=int,
        default=40,
        metavar="N",
        help=say("number of stations (default 40)", "服务点数（默认 40）"),
    )
    parser.add_argument(
        "--days", default="90d", metavar="90d", help=say("number of days (default 90d)", "天数（默认 90d）")
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help=say("seed of the random numbers (default 1)", "随机数种子（默认 1）"),
    )


def demo(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost demo`."""
    parser.add_argument(
        "--exit",
        action="store_true",
        help=say(
            "exit after the story, with status 0 only if every step succeeded", "演示结束后退出；每一步都成功时才返回 0"
        ),
    )
    parser.add_argument(
        "--no-history",
        action="store_false",
        dest="history",
        help=say(
            "do not make up a month of history before, and do not show its rates, report and verified sheet",
            "不事先虚构一个月的历史数据，也不展示其在线率、报告和经核验的服务点报告",
        ),
    )
    parser.add_argument(
        "--keep", action="store_true", help=say("keep the data directory of the demo", "保留演示所建的数据目录")
    )


def simulate(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost simulate`."""
    parser.add_argument(
        "--stations",
        type=int,
        required=True,
        metavar="N",
        help=say("number of stations", "服务点数"),
    )
    parser.add_argument(
        "--terminals",
        type=int,
        default=1,
        metavar="N",
        help=say("terminals at each station (default 1)", "每个服务点的终端数（默认 1）"),
    )
    parser.add_argument(
        "--every",
        type=float,
        default=60,
        metavar="S",
        help=say("seconds between heartbeats (default 60)", "心跳间隔秒数（默认 60）"),
    )
    parser.add_argument(
        "--sample",
        type=float,
        metavar="S",
        help=say("seconds between samples (default 5 heartbeats)", "采样间隔秒数（默认 5 次心跳）"),
    )
    parser.add_argument(
        "--broker",
        metavar="URL",
        help=say(
            "MQTT broker, mqtt://host:port (default MILEPOST_MQTT_URL)",
            "MQTT 代理，mqtt://host:port（默认 MILEPOST_MQTT_URL）",
        ),
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="D",
        help=say("seconds to run (default: until Ctrl-C)", "运行的秒数（默认直到 Ctrl-C）"),
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help=say("seed of the random numbers (default 1)", "随机数种子（默认 1）"),
    )
    parser.add_argument(
        "--script", type=Path, metavar="FILE", help=say("timetable of the simulated faults", "故障时间表文件")
    )
    parser.add_argument(
        "--bridge-pid",
        type=int,
        metavar="PID",
        help=say("process id of the bridge that `stall` in a timetable stops", "时间表中 `stall` 所停住的桥接的进程号"),
    )
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help=say("write all sent messages and faults to this file", "将发送的消息和故障写入此文件"),
    )
    parser.add_argument(
        "--check",
        metavar="URL",
        help=say("at the end, compare the journal with the API at URL", "随后将日志与 URL 处的 API 核对"),
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help=say("file with the token for the API", "含 API 令牌的文件")
    )


def export_file(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost export`."""
    kinds = ("areas", "stations", "contacts", "duty", "substitutes", "routes", "successions")
    parser.add_argument("what", choices=kinds, help=say("the contents of the file", "文件的内容"))
    parser.add_argument("file", type=Path, help=say("a new CSV file", "新的 CSV 文件"))


def import_file(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost import`."""
    kinds = (
        "areas",
        "stations",
        "closures",
        "targets",
        "schedules",
        "overrides",
        "days",
        "contacts",
        "duty",
        "substitutes",
        "routes",
        "successions",
    )
    parser.add_argument("what", choices=kinds, help=say("the contents of the file", "文件的内容"))
    parser.add_argument("file", type=Path, help=say("CSV with a header, or XLSX", "带表头的 CSV，或 XLSX"))
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help=say("only show the changes", "只显示将发生的变化"),
    )
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help=say("import the correct rows even if other rows have errors", "有错误行时仍导入正确的行"),
    )
    parser.add_argument(
        "--ids-as-written",
        action="store_true",
        help=say("accept ids that seem to have lost leading zeros", "接受看似丢失前导零的编号"),
    )
    parser.add_argument(
        "--places-as-written",
        action="store_true",
        help=say("accept doubtful coordinates", "接受存疑的坐标"),
    )
    parser.add_argument(
        "--clear-blank",
        action="store_true",
        help=say("empty cells clear the stored values", "空单元格清除已保存的内容"),
    )
    acting(parser, say)


def acting(parser: argparse.ArgumentParser, say: Say) -> None:
    """The account of a command that changes data."""
    parser.add_argument(
        "--account",
        metavar="LOGIN",
        help=say(
            "login of the account that is recorded as the actor (default operator)",
            "记为操作者的账户的登录名（默认 operator）",
        ),
    )


def backup(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost backup`."""
    parser.add_argument(
        "file", type=Path, help=say("the file to write; it must not exist yet", "写到哪里；该文件不能已存在")
    )


def restore(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost restore`."""
    parser.add_argument(
        "file", type=Path, help=say("a file written by `milepost backup`", "`milepost backup` 所写的文件")
    )


def account(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost account`."""
    parser.add_argument(
        "station",
        metavar="STATION",
        help=say("id of the station; it is also the name of the account", "服务点编号，也是其账户名"),
    )
    change = parser.add_mutually_exclusive_group()
    change.add_argument(
        "--renew",
        action="store_true",
        help=say("replace the password; the old password stops working", "更换密码，旧密码失效"),
    )
    change.add_argument("--remove", action="store_true", help=say("delete the account", "删除账户"))
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=say("file for the password (default STATION.password)", "密码写入的文件（默认 STATION.password）"),
    )


def announce_restart(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost announce-restart`."""
    parser.add_argument(
        "--minutes",
        type=float,
        default=5.0,
        metavar="N",
        help=say("expected duration in minutes, at most 10 (default 5)", "预计分钟数，最多 10（默认 5）"),
    )
    parser.add_argument("--reason", required=True, help=say("reason, for the audit trail", "原因，供日后查询"))
    acting(parser, say)
    parser.add_argument(
        "--by",
        metavar="WHO",
        help=say("person on whose behalf the account announces it", "委托人：账户代谁公告"),
    )


def schedule(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost schedule`."""
    parser.add_argument(
        "action", choices=("check",), help=say("show how opening rules are understood", "说明如何识别开放时间")
    )
    parser.add_argument(
        "rules",
        help=say(
            "for example 'Mo-Fr 09:00-17:30; Sa,Su 10:00-16:00; HD off'", "如“周一至周五 9:00-17:30；周末 10:00-16:00”"
        ),
    )
    parser.add_argument(
        "--days",
        type=int,
        default=14,
        metavar="N",
        help=say("days to show, 0 to 400 (default 14)", "显示的天数，0 至 400（默认 14）"),
    )


def notify(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost notify`."""
    parser.add_argument(
        "action",
        choices=("test",),
        help=say("send a message that is marked as a test", "发送标明为测试的消息"),
    )
    parser.add_argument("contact", metavar="CONTACT", help=say("id of the contact", "联系人的编号"))
    parser.add_argument(
        "--channel",
        type=int,
        metavar="N",
        help=say("only the channel of this number, from 1 (default: each)", "只用第 N 个渠道，从 1 起（默认逐个发送）"),
    )


def grafana(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost grafana`."""
    parser.add_argument(
        "action",
        choices=("sync",),
        help=say("write folders, data source and dashboards", "写入文件夹、数据源和仪表盘"),
    )
    parser.add_argument(
        "--url",
        metavar="URL",
        help=say(
            "Grafana, https://… (default MILEPOST_GRAFANA_URL)", "Grafana 地址，https://…（默认 MILEPOST_GRAFANA_URL）"
        ),
    )
    parser.add_argument(
        "--token",
        metavar="TOKEN",
        help=say(
            "token of a service account. Every user of this machine can see it: prefer a file, named in "
            "MILEPOST_GRAFANA_TOKEN_FILE",
            "服务账户的令牌；本机所有人都能看到它：最好写入文件，并在 MILEPOST_GRAFANA_TOKEN_FILE 中指定该文件",
        ),
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help=say(
            "also rewrite unchanged parts, the password, and what was saved by hand",
            "无需更改的、密码及手工保存的内容也重写",
        ),
    )
    parser.add_argument(
        "--area",
        metavar="CODE",
        help=say(
            "dashboards and a data source that see this area and all below it, and nothing else",
            "只能看到该行政区划及其下级的仪表盘和数据源",
        ),
    )
    parser.add_argument(
        "--dry-run", action="store_true", help=say("only print what would change", "只显示将要更改的内容")
    )


def agent(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost agent`."""
    parser.add_argument("--station", required=True, metavar="ID", help=say("id of this station", "本服务点的编号"))
    parser.add_argument(
        "--terminal",
        default="001",
        metavar="ID",
        help=say("id of this terminal (default 001)", "本终端的编号（默认 001）"),
    )
    parser.add_argument(
        "--broker",
        metavar="URL",
        help=say(
            "MQTT broker, mqtts://host:port (default MILEPOST_MQTT_URL)",
            "MQTT 代理，mqtts://host:port（默认 MILEPOST_MQTT_URL）",
        ),
    )
    parser.add_argument(
        "--every",
        type=float,
        default=60,
        metavar="S",
        help=say("seconds between heartbeats (default 60)", "心跳间隔秒数（默认 60）"),
    )
    parser.add_argument(
        "--sample",
        type=float,
        default=300,
        metavar="S",
        help=say("seconds between samples (default 300)", "采样间隔秒数（默认 300）"),
    )
    parser.add_argument(
        "--disk",
        type=Path,
        default=Path("/"),
        metavar="PATH",
        help=say("disk to monitor (default /)", "要监测的磁盘（默认 /）"),
    )
    parser.add_argument(
        "--usable", choices=("yes", "no"), help=say("whether visitors can use the station", "上报公众能否使用")
    )
    parser.add_argument(
        "--usable-command",
        default="",
        metavar="CMD",
        help=say("command that checks this; exit status 0 means usable", "运行此命令来判断；状态码 0 表示可用"),
    )
    parser.add_argument(
        "--service",
        action="append",
        default=[],
        metavar="NAME=CHECK",
        help=say(
            "service to monitor: tcp://host:port or process:name; repeatable",
            "要监测的服务：tcp://host:port 或 process:name；可多次给出",
        ),
    )
    parser.add_argument(
        "--wifi", metavar="INTERFACE", help=say("network interface of the access point", "无线接入点的网络接口")
    )
    parser.add_argument(
        "--reports",
        type=Path,
        metavar="DIR",
        help=say(
            "directory in which other programs write usage counts and the list of resources",
            "其他程序存放使用计数和资源清单的目录",
        ),
    )
    parser.add_argument(
        "--accept-unsigned",
        action="store_true",
        help=say("accept commands and settings without a signature", "接受没有签名的命令和设置"),
    )
