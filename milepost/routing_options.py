"""The arguments of `milepost duty`. It imports no other module of ours, so help appears fast."""

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
