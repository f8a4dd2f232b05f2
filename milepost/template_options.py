"""The arguments of `milepost templates`. This module imports few modules, so help appears fast."""

import argparse
from collections.abc import Callable

from milepost.options import acting

Say = Callable[[str, str], str]
LANGUAGES = ("zh-CN", "en")


def templates(parser: argparse.ArgumentParser, say: Say) -> list[argparse.ArgumentParser]:
    """Arguments of `milepost templates`; the parsers of its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, en: str, zh: str) -> argparse.ArgumentParser:
        text = say(en, zh)
        made = actions.add_parser(name, help=text, description=text + say(".", "。"))
        if name != "list":
            made.add_argument("name", metavar="NAME", help=say("name of the template", "模板名称"))
            made.add_argument(
                "--language", choices=LANGUAGES, default="zh-CN", help=say("default zh-CN", "语言（默认 zh-CN）")
            )
        return made

    listing = action("list", "list the templates that can be changed", "列出可以更改的模板")
    showing = action("show", "show a template and its placeholders", "显示一个模板及其占位符")
    change = action("set", "change a template", "更改模板")
    change.add_argument(
        "text", metavar="TEXT", help=say("the text; - reads it from standard input", "内容；- 表示从标准输入读取")
    )
    acting(change, say)
    looking = action("preview", "show messages about invented incidents", "用虚构的故障预览消息")
    looking.add_argument(
        "--text",
        metavar="TEXT",
        help=say(
            "the text to try, which is not stored; - reads it from standard input",
            "试用的内容，不保存；- 表示从标准输入读取",
        ),
    )
    reset = action("reset", "go back to the text of Milepost", "恢复默认文字")
    acting(reset, say)
    return [listing, showing, change, looking, reset]
