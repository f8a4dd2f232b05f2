"""Division codes of GB/T 2260 and GB/T 10114: 12 digits, two each for province, prefecture and county, three each
for township and village; zeros where a level is not reached.
"""

import re
from typing import Final

from contract.said import SaidError

CODE_LENGTH: Final = 12
_CODE: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_DEFAULT_STATION: Final = re.compile(r"[0-9]{10}")
# Digits of a code cut off after province, prefecture, county, township and village.
_LENGTHS: Final = {2: "province", 4: "prefecture", 6: "county", 9: "township", 12: "village"}


def normal_code(text: str) -> str:
    """The code as stored: digits padded with zeros to 12 ("63" gives "630000000000"), others as they are.

    Raises SaidError with what is wrong and the remedy.
    """
    if not _CODE.fullmatch(text):
        raise SaidError(
            f"{text[:40]!r} is not an area code: use 1 to 32 digits or Latin letters",
            f"“{text[:40]}”不是区划代码：应为 1 至 32 位数字或拉丁字母",
        )
    if not text.isdigit():
        return text
    if len(text) not in _LENGTHS:
        raise SaidError(
            f"{text!r} has {len(text)} digits; an area code has 2, 4, 6, 9 or 12: restore the digits, "
            "and in a spreadsheet format the column as text",
            f"“{text}”有 {len(text)} 位；区划代码应为 2、4、6、9 或 12 位：请补全，并把表格中该列设为文本格式",
        )
    return text.ljust(CODE_LENGTH, "0")


def level_of(code: str) -> str | None:
    """The level that a 12-digit code stands for; None for the codes of other trees."""
    if len(code) != CODE_LENGTH or not code.isdigit():
        return None
    return next(level for length, level in _LENGTHS.items() if not code[length:].strip("0"))


def county_of(station: str) -> str | None:
    """The county code in a station id of the default form (county 6 digits + serial 4), or None."""
    if not _DEFAULT_STATION.fullmatch(station):
        return None
    return station[:6].ljust(CODE_LENGTH, "0")
