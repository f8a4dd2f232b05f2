"""The arguments of `milepost report` and `milepost assess`. This module imports few modules, so help appears fast."""

import argparse
from collections.abc import Callable
from pathlib import Path

from milepost.options import acting

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
    text = say(
        "an assessment: the result, the places (the worst first) with a reason for each lost point, the rules",
        "一次考核：结果、考核对象（由差到好）及每项失分原因、考核规则",
    )
    assessment = actions.add_parser("assessment", help=text, description=text + say(".", "。"))
    assessment.add_argument(
        "assessment",
        metavar="N",
        type=int,
        help=say("its number (`milepost assess list`)", "编号（`milepost assess list`）"),
    )
    _file(assessment, say)
    text = say(
        "the targets of programmes: promised, reached and why not (the least progress first), as of a day",
        "工程目标：目标值、完成值及原因（完成率由低到高），截至某日",
    )
    programme = actions.add_parser("programme", help=text, description=text + say(".", "。"))
    programme.add_argument(
        "--day", metavar="YYYY-MM-DD", help=say("as of the end of a day (default today)", "截至日期（默认今天）")
    )
    for one in (uptime, effect, programme):
        one.add_argument(
            "--area", metavar="CODE", help=say("the area (default: all stations)", "区划代码（默认全部服务点）")
        )
    for one in (uptime, station, effect):
        _period(one, say)
    for one in (uptime, station, effect, programme):
        _file(one, say)
    return [uptime, station, effect, programme, assessment]


def _period(parser: argparse.ArgumentParser, say: Say) -> None:
    parser.add_argument(
        "--period",
        metavar="YYYY-MM",
        help=say(
            "a month or a year: 2026-11, 2026 (default: the month of the newest counted day)",
            "月份或年份：2026-11、2026（默认最近已统计日期所在月份）",
        ),
    )


def _file(parser: argparse.ArgumentParser, say: Say) -> None:
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


def assess(parser: argparse.ArgumentParser, say: Say) -> list[argparse.ArgumentParser]:
    """Arguments of `milepost assess`; the parsers of its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, en: str, zh: str) -> argparse.ArgumentParser:
        text = say(en, zh)
        return actions.add_parser(name, help=text, description=text + say(".", "。"))

    make = action("make", "assess an area, the areas below it and its stations", "考核一个区划、其下级区划和服务点")
    make.add_argument(
        "--area", metavar="CODE", help=say("the area (default: all stations)", "区划代码（默认全部服务点）")
    )
    make.add_argument(
        "--period",
        metavar="YYYY-MM",
        required=True,
        help=say("a month or a year that is over: 2026-11, 2026", "已结束的月份或年份：2026-11、2026"),
    )
    make.add_argument(
        "--rules",
        type=Path,
        metavar="FILE",
        help=say(
            "the rules, YAML (default: those of `milepost assess rules`)",
            "规则，YAML（默认为 `milepost assess rules` 的内容）",
        ),
    )
    make.add_argument(
        "--scores",
        type=Path,
        metavar="FILE",
        help=say(
            "satisfaction scores of a third party, CSV or XLSX: place,score,source",
            "第三方满意度，CSV 或 XLSX：编号、满意度、来源",
        ),
    )
    make.add_argument(
        "--again",
        metavar="WHY",
        help=say("the reason for a further revision", "需要新版次的原因"),
    )
    acting(make, say)
    listing = action("list", "list the newest assessments", "列出最近的考核")
    check = action(
        "check",
        "compute an assessment again from its kept inputs and rules, and compare",
        "用留存的数据和规则重新计算一次考核，并比对",
    )
    check.add_argument("assessment", metavar="N", type=int, help=say("its number", "编号"))
    rules = action("rules", "show the rules of Milepost", "显示默认规则")
    return [make, listing, check, rules]
