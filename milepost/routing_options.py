"""The arguments of `milepost duty` and `milepost route`. It imports no other module of ours, so help appears fast."""

import argparse
from collections.abc import Callable

Say = Callable[[str, str], str]


def duty(parser: argparse.ArgumentParser, say: Say) -> list[argparse.ArgumentParser]:
    """Arguments of `milepost duty`; the parsers of its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    text = say("list who is on duty, and why others are not", "列出谁在值班，以及其他人为何不在")
    now = actions.add_parser("now", help=text, description=text + say(".", "。"))
    now.add_argument(
        "--area",
        metavar="CODE",
        help=say("only this area and those below it", "只列出此区划及其下级"),
    )
    now.add_argument(
        "--at",
        metavar="TIME",
        help=say(
            "another time, such as 2026-10-31T18:00; without a zone it is Beijing time (default now)",
            "另一时间，如 2026-10-31T18:00；不带时区的为北京时间（默认现在）",
        ),
    )
    return [now]


def route(parser: argparse.ArgumentParser, say: Say) -> list[argparse.ArgumentParser]:
    """Arguments of `milepost route`; the parsers of its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    return [_explain(actions, say), _gaps(actions, say)]


def _explain(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", say: Say) -> argparse.ArgumentParser:
    text = say(
        "say who would be told of an incident, when, by which channel, and why each route does or does not apply",
        "说明某一事件会通知谁、何时、经何渠道，以及每条路由为何适用或不适用",
    )
    explain = actions.add_parser("explain", help=text, description=text + say(".", "。"))
    where = explain.add_mutually_exclusive_group(required=True)
    where.add_argument("--station", metavar="ID", help=say("an incident of this station", "此服务点的事件"))
    where.add_argument("--area", metavar="CODE", help=say("an incident of this area", "此区划的事件"))
    explain.add_argument(
        "--kind",
        metavar="KIND",
        default="station_offline",
        help=say("the kind of the incident (default station_offline)", "事件类型（默认 station_offline，服务点离线）"),
    )
    explain.add_argument(
        "--severity",
        choices=("info", "warning", "critical"),
        help=say("its severity (default: that of the kind)", "严重程度（默认按事件类型）"),
    )
    explain.add_argument(
        "--at",
        metavar="TIME",
        help=say(
            "when it begins, such as 2026-10-31T18:00; without a zone it is Beijing time (default now)",
            "开始时间，如 2026-10-31T18:00；不带时区的为北京时间（默认现在）",
        ),
    )
    return explain


def _gaps(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", say: Say) -> argparse.ArgumentParser:
    text = say("list the areas and hours in which nobody would be told", "列出无人会收到通知的区划和时段")
    gaps = actions.add_parser("gaps", help=text, description=text + say(".", "。"))
    gaps.add_argument(
        "--days",
        type=int,
        default=30,
        metavar="N",
        help=say("so many days from now, 1 to 62 (default 30)", "自现在起的天数，1 至 62（默认 30）"),
    )
    gaps.add_argument("--area", metavar="CODE", help=say("only this area and those below it", "只查此区划及其下级"))
    gaps.add_argument(
        "--kind", metavar="KIND", help=say("only incidents of this kind (default all)", "只查此类型的事件（默认全部）")
    )
    gaps.add_argument(
        "--severity",
        choices=("info", "warning", "critical"),
        help=say("only incidents of this severity (default all)", "只查此严重程度的事件（默认全部）"),
    )
    gaps.add_argument(
        "--from",
        dest="begin",
        metavar="TIME",
        help=say("from this time on instead of now", "从此时间而非现在开始"),
    )
    gaps.add_argument(
        "--csv",
        action="store_true",
        help=say("every area and interval, as CSV", "以 CSV 列出每个区划和时段"),
    )
    return gaps
