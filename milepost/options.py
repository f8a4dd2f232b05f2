"""The options of commands beyond their settings. Apart, so that showing help loads nothing else."""

import argparse
from collections.abc import Callable
from pathlib import Path

Say = Callable[[str, str], str]
"""Of an English text and the same in Chinese, the one for the reader."""


def up(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "--stations",
        type=int,
        default=0,
        metavar="N",
        help=say("also simulate N stations (default 0)", "同时模拟 N 个服务点（默认 0）"),
    )


def demo(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "--exit",
        action="store_true",
        help=say("end after the story: 0 only if every step was seen", "演示结束后退出：每一步都看到时才返回 0"),
    )
    parser.add_argument(
        "--keep", action="store_true", help=say("keep the data directory that the demo made", "保留演示所建的数据目录")
    )


def simulate(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "--stations",
        type=int,
        required=True,
        metavar="N",
        help=say("how many stations to simulate", "模拟多少个服务点"),
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
            "the MQTT broker, mqtt://host:port (default MILEPOST_MQTT_URL)",
            "MQTT 代理，mqtt://host:port（默认 MILEPOST_MQTT_URL）",
        ),
    )
    parser.add_argument(
        "--seconds", type=float, metavar="D", help=say("how long (default until Ctrl-C)", "持续时间（默认直到 Ctrl-C）")
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help=say("the seed of all that is random (default 1)", "随机数种子（默认 1）"),
    )
    parser.add_argument(
        "--script", type=Path, metavar="FILE", help=say("a timetable of what is done to whom", "故障时间表文件")
    )
    parser.add_argument(
        "--bridge-pid",
        type=int,
        metavar="PID",
        help=say("the bridge that `stall` in a timetable stops", "时间表中 `stall` 所停住的桥接进程"),
    )
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help=say("write what was sent and done into this file", "将发送和操作写入此文件"),
    )
    parser.add_argument(
        "--check",
        metavar="URL",
        help=say("then compare the journal with what the API at URL says", "随后将日志与 URL 处的 API 核对"),
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help=say("the file with the API's token", "含 API 令牌的文件")
    )


def import_file(parser: argparse.ArgumentParser, say: Say) -> None:
    kinds = ("areas", "stations", "closures", "targets", "schedules", "overrides", "days")
    parser.add_argument("what", choices=kinds, help=say("what the file holds", "文件的内容"))
    parser.add_argument("file", type=Path, help=say("CSV with a header, or XLSX", "带表头的 CSV，或 XLSX"))
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help=say("show what would change, and change nothing", "只显示将发生的变化，不作更改"),
    )
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help=say("apply the good rows although there are bad ones", "有错误行时仍导入正确的行"),
    )
    parser.add_argument(
        "--ids-as-written",
        action="store_true",
        help=say("ids that look as if they lost leading zeros are right", "看似丢失前导零的编号是正确的"),
    )
    parser.add_argument(
        "--places-as-written",
        action="store_true",
        help=say("coordinates that are in doubt are right", "存疑的坐标是正确的"),
    )
    parser.add_argument(
        "--clear-blank",
        action="store_true",
        help=say("let empty cells clear what is stored", "空单元格清除已保存的内容"),
    )


def backup(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "file", type=Path, help=say("where to write it; there must be none yet", "写到哪里；该文件不能已存在")
    )


def restore(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument("file", type=Path, help=say("what `milepost backup` wrote", "`milepost backup` 所写的文件"))


def account(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "station",
        metavar="STATION",
        help=say("the id of the station, which is the name of its account", "服务点编号，也是其账户名"),
    )
    change = parser.add_mutually_exclusive_group()
    change.add_argument(
        "--renew",
        action="store_true",
        help=say("give it a new password instead of the one it has", "更换密码，旧密码失效"),
    )
    change.add_argument("--remove", action="store_true", help=say("take the account away", "删除账户"))
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=say("where to write the password (STATION.password)", "密码写入的文件（默认 STATION.password）"),
    )


def announce_restart(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "--minutes",
        type=float,
        default=5.0,
        metavar="N",
        help=say("how long it may take, at most 10 (5)", "预计分钟数，最多 10（默认 5）"),
    )
    parser.add_argument("--reason", required=True, help=say("why, for those who ask later", "原因，供日后查询"))
    parser.add_argument(
        "--by", default="operator", metavar="WHO", help=say("who announces it (operator)", "公告人（默认 operator）")
    )


def schedule(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "action", choices=("check",), help=say("say how opening rules are read", "说明如何识别开放时间")
    )
    parser.add_argument(
        "rules",
        help=say(
            "such as 'Mo-Fr 09:00-17:30; Sa,Su 10:00-16:00; HD off'", "如“周一至周五 9:00-17:30；周末 10:00-16:00”"
        ),
    )
    parser.add_argument(
        "--days",
        type=int,
        default=14,
        metavar="N",
        help=say("days to show, 0 to 400 (default 14)", "显示的天数，0 至 400（默认 14）"),
    )


def grafana(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "action",
        choices=("sync",),
        help=say("bring folder, data source and dashboards there", "写入文件夹、数据源和仪表盘"),
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
            "a service account's token; everybody on this machine sees it: better put it into a file and name that "
            "in MILEPOST_GRAFANA_TOKEN_FILE",
            "服务账户的令牌；本机所有人都能看到它：最好写入文件，并在 MILEPOST_GRAFANA_TOKEN_FILE 中指定该文件",
        ),
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help=say("write what is as it should be too, and the password", "无需更改的也重写，包括密码"),
    )


def agent(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument("--station", required=True, metavar="ID", help=say("the id of this station", "本服务点的编号"))
    parser.add_argument(
        "--terminal",
        default="001",
        metavar="ID",
        help=say("the id of this terminal (default 001)", "本终端的编号（默认 001）"),
    )
    parser.add_argument(
        "--broker",
        metavar="URL",
        help=say(
            "the MQTT broker, mqtts://host:port (default MILEPOST_MQTT_URL)",
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
        help=say("the disk to watch (default /)", "要监测的磁盘（默认 /）"),
    )
    parser.add_argument(
        "--usable", choices=("yes", "no"), help=say("what to say about whether visitors can use it", "上报公众能否使用")
    )
    parser.add_argument(
        "--usable-command",
        default="",
        metavar="CMD",
        help=say("run this to find out; status 0 means usable", "运行此命令来判断；状态码 0 表示可用"),
    )
    parser.add_argument(
        "--service",
        action="append",
        default=[],
        metavar="NAME=CHECK",
        help=say(
            "a service to watch: tcp://host:port or process:name; can be given several times",
            "要监测的服务：tcp://host:port 或 process:name；可多次给出",
        ),
    )
    parser.add_argument(
        "--wifi", metavar="INTERFACE", help=say("the network interface of the access point", "无线接入点的网络接口")
    )
    parser.add_argument(
        "--reports",
        type=Path,
        metavar="DIR",
        help=say(
            "where other programs leave usage counts and the list of resources", "其他程序存放使用计数和资源清单的目录"
        ),
    )
    parser.add_argument(
        "--accept-unsigned",
        action="store_true",
        help=say("obey commands and settings without a signature", "执行没有签名的命令和设置"),
    )
