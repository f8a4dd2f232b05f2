"""Opening hours as people write them in Chinese, as the opening rules of `registry.hours.opening_text`. Pure.

`周一至周五 9:00-17:00，周末休息` is `Mo-Fr 09:00-17:00; Sa,Su off`. A part that is not understood stays in the
text, so that the reader of rules names it in its error.
"""

import re
from typing import Final
from unicodedata import normalize

from registry.hours.opening_rules import MONTHS, WEEKDAYS
from registry.written import hour_of

_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_ALWAYS: Final = re.compile(r"(全年|每天|每日|全年无休|,|\s)*(24\s*小时|全天候?|昼夜)\s*(开放|营业|服务|自助|不打烊)*")
_NUMERALS: Final = dict(zip("一二三四五六日", WEEKDAYS, strict=True)) | {"天": "Su"}
_WEEK: Final = "(?:周|星期|礼拜)"
_WEEKDAY: Final = rf"(?:{_WEEK}([一二三四五六日天]))"
_RANGE: Final = re.compile(rf"{_WEEKDAY}\s*[-至到]\s*{_WEEK}?([一二三四五六日天])")
_MORE: Final = re.compile(rf"{_WEEK}([一二三四五六日天](?:[、,]?[一二三四五六日天])*)")
_HALF: Final = "(上午|早上|早|凌晨|中午|下午|晚上|晚)?"
_CLOCK: Final = r"(\d{1,2})\s*(?::\s*(\d{2})|[时点]\s*(\d{1,2}|半|整)?\s*分?)"
_SPAN: Final = re.compile(rf"{_HALF}\s*{_CLOCK}\s*[-至到]+\s*{_HALF}\s*{_CLOCK}")
_HOURS: Final = re.compile(r"(?<![\d:])(\d{1,2})\s*[-至到]\s*(\d{1,2})\s*[点时](?!\s*\d)")
_SEASON: Final = re.compile(r"(\d{1,2})月(?:(\d{1,2})[日号])?")
_DAYS: Final = "|".join((*WEEKDAYS, "WD", "RD", "HD"))
_NEXT_RULE: Final = re.compile(rf"(\d\d:\d\d|off)\s*[,;]?\s*(?=(?:{_DAYS})(?![a-z]))")
_NEXT_SEASON: Final = re.compile(rf"(\d\d:\d\d|off)\s*[,;]?\s*(?=(?:{'|'.join(MONTHS)})(?![a-z]))")
_DAY_THEN_TIME: Final = re.compile(rf"({_DAYS})(?=\d\d:)")
# In this order: a word before the words that it contains.
_WORDS: Final = (
    ("法定节假日", "HD"),
    ("国家法定假日", "HD"),
    ("节假日", "HD"),
    ("法定假日", "HD"),
    ("工作日", "WD"),
    ("休息日", "RD"),
    ("双休日", "Sa,Su"),
    ("周末", "Sa,Su"),
    ("每天", "Mo-Su"),
    ("每日", "Mo-Su"),
    ("天天", "Mo-Su"),
    ("全年", "Mo-Su"),
    ("不开放", " off"),
    ("不营业", " off"),
    ("休息", " off"),
    ("闭馆", " off"),
    ("关闭", " off"),
    ("关门", " off"),
    ("停业", " off"),
    ("开放时间", ""),
    ("营业时间", ""),
    ("开馆时间", ""),
    ("开放", ""),
    ("营业", ""),
    ("开馆", ""),
    ("、", ","),
    ("和", ","),
    ("及", ","),
    ("至", "-"),
    ("到", "-"),
    ("。", ";"),
)
_SCHEDULED: Final = ("照常", "照常开放", "正常", "正常开放")
_EXTRA: Final = re.compile("^(?:加开|延长开放|增开|另开)")
_PUNCTUATION: Final = str.maketrans({"(": " ", ")": " ", "~": "-", "—": "-", "–": "-", "\n": ";", "\r": " "})


def rules_of(cell: str) -> str:
    """The opening rules of a text in Chinese; any other text with plain signs in place of full-width ones."""
    text = normalize("NFKC", cell).strip()
    if not _HAN.search(text):
        return text
    if _ALWAYS.fullmatch(text):
        return "24x7"
    text = text.translate(_PUNCTUATION)
    text = _HOURS.sub(r"\1:00-\2:00", text)
    text = _SPAN.sub(_span, text)
    text = _SEASON.sub(_season, text)
    text = _RANGE.sub(lambda found: f"{_NUMERALS[found[1]]}-{_NUMERALS[found[2]]}", text)
    text = _MORE.sub(lambda found: ",".join(_NUMERALS[one] for one in found[1] if one in _NUMERALS), text)
    for word, rule in _WORDS:
        text = text.replace(word, rule)
    text = _DAY_THEN_TIME.sub(r"\1 ", text)
    text = _NEXT_SEASON.sub(r"\1; ", _NEXT_RULE.sub(r"\1; ", text))
    return re.sub(r"\s+", " ", text).strip(" ;,")


def dated_of(cell: str) -> str:
    """The hours of single days from Chinese text: 休息 is off, 照常 is scheduled, 加开18:00-21:00 is +18:00-21:00."""
    text = normalize("NFKC", cell).strip()
    if text in _SCHEDULED:
        return "scheduled"
    extra = _EXTRA.sub("", text)
    return ("+" if extra != text else "") + rules_of(extra)


def _span(found: re.Match[str]) -> str:
    half, hour, minutes, words, last_half, last_hour, last_minutes, last_words = found.groups()
    # 下午2:00-5:30 ends in the afternoon too, 晚上8:00-2:00 in the night.
    if last_half is None and (int(last_hour) % 12 or 12) > int(hour) % 12:
        last_half = half
    return f"{_time(half, hour, minutes or words)}-{_time(last_half, last_hour, last_minutes or last_words)}"


def _time(half: str | None, hour: str, minutes: str | None) -> str:
    known = {None: "00", "整": "00", "半": "30"}
    at = 24 if half in ("晚上", "晚") and hour == "12" else hour_of(half, int(hour))
    return f"{at:02}:{known.get(minutes) or str(minutes).zfill(2)}"


def _season(found: re.Match[str]) -> str:
    month = int(found[1])
    if not 1 <= month <= len(MONTHS):
        return found[0]
    return MONTHS[month - 1] + (f" {found[2]}" if found[2] else "")
