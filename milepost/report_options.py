"""The arguments of `milepost report`. This module imports few modules, so help appears fast."""

import argparse
from collections.abc import Callable
from pathlib import Path

Say = Callable[[str, str], str]


def report(parser: argparse.ArgumentParser, say: Say) -> list[argparse.ArgumentParser]:
    """Arguments of `milepost report`; the parsers of its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="REPORT")
    text = say(
        "the uptime of an area: sums, areas below, stations with reasons (the lowest rate first), days",
        "区划的在线统计：合计、下级区划、服务点（服务率由低到高）及原因、逐日数据",
    )
    uptime = actions.add_parser("uptime", help=text, description=text + say(".", "。"))
    text = say(
        "a station: its hours as a strip, days, incidents and revisions",
        "一个服务点：逐小时状态图、逐日数据、事件和修订记录",
    )
    station = actions.add_parser("station", help=text, description=text + say(".", "。"))
    station.add_argument("station", metavar="ID", help=say("the station's id", "服务点编号"))
    text = say(
        "the use of an area: visits, time used, terminals that work, stations (the least used first), content",
        "区划的服务效能：服务人次、使用时长、正常终端、服务点（使用率由低到高）、资源存量",
    )
    effect = actions.add_parser("effect", help=text, description=text + say(".", "。"))
    for one in (uptime, effect):
        one.add_argument(
            "--area", metavar="CODE", help=say("the area (default: all stations)", "区划代码（默认全部服务点）")
        )
    for one in (uptime, station, effect):
        _common(one, say)
    return [uptime, station, effect]


def _common(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "--period",
        metavar="YYYY-MM",
        help=say(
            "a month or a year: 2026-11, 2026 (default: the month of the newest counted day)",
            "月份或年份：2026-11、2026（默认最近已统计日期所在月份）",
        ),
    )
    parser.add_argument(
        "--format",
        choices=("pdf", "xlsx", "csv"),
        default="pdf",
        help=say("the format (default pdf)", "格式（默认 pdf）"),
    )
    parser.add_argument(
        "--report-language",
        choices=("zh-CN", "en"),
        help=say("the language of the report (default: that of the locale)", "报告语言（默认与系统语言相同）"),
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=say("the file to write; it must not exist yet", "写入的文件；该文件不能已存在"),
    )
