"""Errors and help of the command line in the reader's language; the texts of argparse are English only."""

import argparse
import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from contract.said import Said

_REFUSALS: Final = (
    (r"the following arguments are required: (.*)", "缺少参数：{}"),
    (r"unrecognized arguments: (.*)", "无法识别的参数：{}"),
    (r"argument (.*): invalid choice: (.*) \(choose from (.*)\)", "参数 {} 的值 {} 无效，可用：{}"),
    (r"argument (.*): invalid (\w+) value: (.*)", "参数 {0} 的值 {2} 无效"),
    (r"argument (.*): expected one argument", "参数 {} 缺少值"),
    (r"argument (.*): ignored explicit argument (.*)", "参数 {} 不能带值 {}"),
    (r"argument (.*): not allowed with argument (.*)", "参数 {} 不能与 {} 同时使用"),
    (r"ambiguous option: (.*) could match (.*)", "选项 {} 不明确，可能是 {}"),
)
"""Patterns of the errors of argparse (Python 3.11 to 3.14), each with its Chinese text."""
_USAGE: Final = Said("usage: ", "用法：")
_POSITIONALS: Final = Said("positional arguments", "参数")
_OPTIONS: Final = Said("options", "选项")
_HELP: Final = Said("show this help message and exit", "显示此帮助并退出")


class UsageError(Exception):
    """The command line is wrong; `said` explains the mistake in both languages."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


class Parser(argparse.ArgumentParser):
    """An English parser that raises UsageError instead of ending the process. Its subparsers have the same class."""

    language = "en"

    def __init__(self, **more: Any) -> None:
        super().__init__(**more, add_help=False)
        self._positionals.title = _POSITIONALS.text(self.language)
        self._optionals.title = _OPTIONS.text(self.language)
        self.add_argument("-h", "--help", action="help", default=argparse.SUPPRESS, help=_HELP.text(self.language))

    def format_help(self) -> str:
        """The help text. The prefix of its first line is replaced here because argparse cannot translate it."""
        return _USAGE.text(self.language) + super().format_help().removeprefix(_USAGE.en)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the error of argparse in both languages."""
        raise UsageError(
            Said(f"{message} (see `{self.prog} --help`)", f"{_in_chinese(message)}（参见 `{self.prog} --help`）")
        )


class ChineseParser(Parser):
    """A `Parser` with Chinese texts."""

    language = "zh-CN"


def _in_chinese(message: str) -> str:
    for pattern, said in _REFUSALS:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found is not None:
            return said.format(*_plain(found.groups()))
    return message


def _plain(parts: Iterable[str]) -> list[str]:
    """The matched parts; lists get the Chinese separator."""
    return ["、".join(part.split(", ")) for part in parts]
