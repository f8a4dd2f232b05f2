"""What can be wrong with a station's sheet, as sentences. Pure."""

from enum import StrEnum
from typing import Final

import msgspec

from contract.said import Said


class SheetWrong(StrEnum):
    """The sorts of faults of a sheet."""

    CHANGED = "changed"
    SWAPPED = "swapped"
    OLD = "old"
    MISSING = "missing"
    NOT_IN_LOG = "not_in_log"
    SIGNATURE = "signature"
    OTHER_LOG = "other_log"
    FORKED = "forked"
    NO_WITNESS = "no_witness"


class SheetFault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, in a sentence."""

    wrong: SheetWrong
    said: Said


_WORDS: Final = {
    SheetWrong.CHANGED: Said("changed", "被改动"),
    SheetWrong.SWAPPED: Said("swapped", "被调换"),
    SheetWrong.OLD: Said("old revision", "旧版"),
    SheetWrong.MISSING: Said("missing", "缺失"),
    SheetWrong.NOT_IN_LOG: Said("not in the log", "不在账本中"),
    SheetWrong.SIGNATURE: Said("signature", "签名"),
    SheetWrong.OTHER_LOG: Said("other log", "其他账本"),
    SheetWrong.FORKED: Said("forked", "分叉"),
    SheetWrong.NO_WITNESS: Said("no witness", "没有见证"),
}


def sheet_fault(wrong: SheetWrong, en: str, zh: str) -> SheetFault:
    """A fault with the word of its sort before the sentence."""
    return SheetFault(wrong=wrong, said=Said(f"{_WORDS[wrong].en}: {en}", f"{_WORDS[wrong].zh}：{zh}"))
