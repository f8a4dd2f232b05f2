"""The arguments of `milepost audit`. It imports no other module of ours: help appears fast."""

import argparse
from collections.abc import Callable
from datetime import date

Say = Callable[[str, str], str]


def audit(parser: argparse.ArgumentParser, say: Say) -> list[argparse.ArgumentParser]:
    """Arguments of `milepost audit`, which without them is the service."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=("rebuild",),
        metavar="rebuild",
        help=say(
            "compute kept days again from their sources, and print every difference",
            "由原始记录重新计算已留存的各日，并打印所有差异",
        ),
    )
    for option, said in (("from", say("first day", "首日")), ("to", say("last day", "末日"))):
        parser.add_argument(
            f"--{option}", dest=f"{option}_day", type=date.fromisoformat, metavar="YYYY-MM-DD", help=said
        )
    parser.add_argument(
        "--area",
        metavar="CODE",
        help=say("only stations of this area and of all below it", "仅限此区划及其下级的站点"),
    )
    return [parser]
