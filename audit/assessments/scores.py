"""Satisfaction scores of a third party, from the lines of a table. Pure."""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from audit.assessments.measured import Satisfaction
from contract.errors import RemedyError
from contract.said import SaidError
from registry.codes import normal_code
from registry.importing.sheets.lines import Line, Sheet

MOST_SCORES: Final = 100_000
MOST_SOURCE: Final = 200
"""Characters of a source."""
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "place": ("place", "编号", "服务点或区划"),
    "score": ("score", "满意度", "得分"),
    "source": ("source", "来源", "评价机构"),
}
_SCORE: Final = re.compile(r"(100(\.0{1,2})?|\d{1,2}(\.\d{1,2})?)")

Scores = Mapping[str, Satisfaction]
"""By the id of a station or the code of an area."""


def read_scores(sheet: Sheet) -> Scores:
    """The scores of a table with the columns place, score and source (source may be left out).

    Raises RemedyError for the first mistake."""
    if not sheet.lines:
        raise RemedyError("the file of scores is empty: the first line must be place,score,source",
                          "满意度文件为空：第一行须为“编号,满意度,来源”")  # fmt: skip
    columns = _columns(sheet.lines[0])
    found: dict[str, Satisfaction] = {}
    if len(sheet.lines) > MOST_SCORES + 1:
        raise RemedyError(
            f"the file has more than {MOST_SCORES} scores: split it", f"满意度超过 {MOST_SCORES} 行：请拆分"
        )
    for line in sheet.lines[1:]:
        place = _cell(line, columns["place"])
        if place in found:
            raise _wrong(line, f"{place} is given twice: keep one", f"{place} 重复：请只保留一个")
        found[place] = satisfaction(
            _cell(line, columns["score"]),
            _cell(line, columns.get("source")),
            (f"line {line.number}: ", f"第 {line.number} 行："),
        )
    return found


def satisfaction(score: str, source: str, where: tuple[str, str] = ("", "")) -> Satisfaction:
    """A score from its text, a number from 0 to 100. `where`: the place of the text for an error, in English and in
    Chinese. Raises RemedyError."""
    if not _SCORE.fullmatch(score) or not score.isascii():
        raise RemedyError(
            f"{where[0]}score is {score[:20]!r}: give a number from 0 to 100 with at most two decimals",
            f"{where[1]}满意度为“{score[:20]}”：请填写 0 到 100 的数，最多两位小数",
        )
    if len(source) > MOST_SOURCE:
        raise RemedyError(
            f"{where[0]}source has {len(source)} characters, of at most {MOST_SOURCE}: shorten it",
            f"{where[1]}来源有 {len(source)} 个字符，最多 {MOST_SOURCE}：请缩短",
        )
    return Satisfaction(score=int(Decimal(score) * 100), source=source)


def matched_scores(scores: Scores, places: Collection[str]) -> dict[str, Satisfaction]:
    """The scores by the ids of places; area codes may be given in their short form.

    Raises RemedyError if a score is of no place of the assessment, or a place has two."""
    found: dict[str, Satisfaction] = {}
    for text, score in scores.items():
        place = text if text in places else _long_code(text)
        if place not in places:
            raise RemedyError(
                f"{text[:64]} has a score, but is not in this assessment: correct or remove the score",
                f"{text[:64]} 有满意度，但不在本次考核范围内：请改正或删去",
            )
        if place in found:
            raise RemedyError(f"{place} has two scores: keep one", f"{place} 有两个满意度：请只保留一个")
        found[place] = score
    return found


def _long_code(text: str) -> str:
    try:
        return normal_code(text)
    except SaidError:
        return text


def _columns(header: Line) -> dict[str, int]:
    names = [cell.strip().lower() for cell in header.cells]
    found = {key: names.index(name) for key, known in _COLUMNS.items() for name in known if name in names}
    for key in ("place", "score"):
        if key not in found:
            named = "、".join(_COLUMNS[key])
            raise RemedyError(
                f"the file of scores has no column {key}: add it", f"满意度文件缺少列 {named}：请补充其中之一"
            )
    return found


def _cell(line: Line, column: int | None) -> str:
    if column is not None and column in line.broken:
        raise _wrong(line, line.broken[column].en, line.broken[column].zh)
    return "" if column is None or column >= len(line.cells) else line.cells[column]


def _wrong(line: Line, en: str, zh: str) -> RemedyError:
    return RemedyError(f"line {line.number}: {en}", f"第 {line.number} 行：{zh}")
