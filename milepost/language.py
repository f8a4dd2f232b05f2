"""The language of the person at the command line."""

import os
import sys
from collections.abc import Mapping
from typing import Literal
from unicodedata import east_asian_width

from contract.said import Said

Language = Literal["zh-CN", "en"]


def language_of(environment: Mapping[str, str]) -> Language:
    """zh-CN if the locale is Chinese, else en. The first variable that is set decides, as in POSIX."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if locale := environment.get(name):
            return "zh-CN" if locale.lower().startswith("zh") else "en"
    return "en"


def of_here() -> Language:
    """The language of the locale of this process."""
    return language_of(os.environ)


def show(line: Said | str) -> None:
    """Print a line for the person at the terminal, at once, in the language of the locale."""
    sys.stdout.write((line.text(of_here()) if isinstance(line, Said) else line) + "\n")
    sys.stdout.flush()


def padded(text: str, columns: int) -> str:
    """The text, filled with spaces to a number of columns of a terminal."""
    return text + " " * (columns - columns_of(text))


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes; a Chinese character takes two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)
