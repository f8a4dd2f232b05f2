"""`milepost assess`: assessments of an area for a month or a year; each is kept for ever."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from access.store import require_acting
from api.http.problems import Problem
from api.read.assessments.load import load_inputs
from audit.assessments.kept import AssessmentSummary, KeptAssessment, make_assessment, reproduced, result_of
from audit.assessments.rules_yaml import MOST_RULES, default_rules, read_rules
from audit.assessments.scores import Scores, read_scores
from audit.assessments.store import keep_assessment, list_assessments, require_assessment
from audit.reports.assessment_report import result_counts
from audit.reports.cell_text import points_text
from audit.reports.texts import TEXTS
from contract.errors import RemedyError
from contract.said import Said
from milepost.commands.account_database import required_url, table, word_of
from milepost.commands.report import given_code, given_period, show_stations
from milepost.language import show
from milepost.settings import Settings
from registry.importing.sheets.sheet import MAX_BYTES
from registry.importing.sheets.sheet_process import read_apart
from store.author import Author
from store.migrate import require_current
from store.pool import Connection, open_pool
from store.scoped import whole_url

_LISTED: Final = 50
_NEWEST: Final = 2**63 - 1


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Do one action; 1 if `check` finds a difference. Raises RemedyError."""
    if arguments.action == "rules":
        show(default_rules().rstrip("\n"))
        return 0
    url = whole_url(required_url(settings.database_url))
    async with open_pool(url, name="assess", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        match arguments.action:
            case "make":
                await _make(connection, arguments)
            case "list":
                await _list(connection)
            case _:
                return await _check(connection, arguments.assessment)
    return 0


async def _make(connection: Connection, arguments: argparse.Namespace) -> None:
    period = given_period(arguments.period)
    area = None if arguments.area is None else given_code(arguments.area)
    rules = default_rules() if arguments.rules is None else _text(arguments.rules)
    read_rules(rules)
    scores = {} if arguments.scores is None else await asyncio.to_thread(_scores, arguments.scores)
    by = Author(await require_acting(connection, arguments.account))
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            inputs = await load_inputs(
                connection, None if area is None else [area], period, scores, progress=show_stations
            )
    except Problem as exc:
        if exc.status != 404:
            raise
        raise RemedyError(f"there is no area {area}: correct it", f"没有区划 {area}：请改正") from exc
    new = await asyncio.to_thread(make_assessment, inputs, rules)
    made = await keep_assessment(connection, new, arguments.again, by, datetime.now(UTC))
    _show_made(made)


def _show_made(made: KeptAssessment) -> None:
    number, result = made.summary.id, result_of(made.kept)
    counts = {language: result_counts(result, language) for language in ("en", "zh-CN")}
    points, outcome = _points(made.summary), word_of("assessment_result", made.summary.outcome)
    show(
        Said(
            f"assessment {number}: {points} points, {outcome.en}; {counts['en']}",
            f"考核 {number}：{points} 分，{outcome.zh}；{counts['zh-CN']}",
        )
    )
    show(Said(f"its report: milepost report assessment {number}", f"生成报告：milepost report assessment {number}"))


async def _list(connection: Connection) -> None:
    found = await list_assessments(connection, before=_NEWEST, areas=None, period=None, limit=_LISTED)
    if not found:
        show(Said("there is no assessment yet", "还没有考核"))
        return
    head: list[Said | str] = [
        *(Said("N", "编号"), Said("AREA", "区划"), Said("PERIOD", "时段"), Said("REVISION", "版次")),
        *(Said("POINTS", "得分"), Said("RESULT", "结果"), Said("RULES", "规则")),
    ]
    show(table([head, *map(_row, found)]))


def _row(one: AssessmentSummary) -> list[Said | str]:
    return [
        *(str(one.id), one.area or TEXTS["everything"], one.period, str(one.revision), _points(one)),
        *(word_of("assessment_result", one.outcome), f"{one.rules_name} {one.rules_version}"),
    ]


def _points(one: AssessmentSummary) -> str:
    return "–" if one.score is None else points_text(one.score)


async def _check(connection: Connection, number: int) -> int:
    found = await require_assessment(connection, number)
    again = await asyncio.to_thread(reproduced, found.kept)
    for name, digest in found.kept.hashes.items():
        show(f"{name} {digest}")
    if again == found.kept.result:
        show(Said(f"assessment {number}: the same result, to the byte", f"考核 {number}：结果逐字节相同"))
        return 0
    show(Said(f"assessment {number}: ANOTHER RESULT", f"考核 {number}：结果不同"))
    return 1


def _text(path: Path) -> str:
    content = _content(path, 4 * MOST_RULES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise RemedyError(f"{path} is not UTF-8: save it so", f"{path} 不是 UTF-8 编码：请另存为 UTF-8") from exc


def _scores(path: Path) -> Scores:
    return read_scores(read_apart(_content(path, MAX_BYTES)))


def _content(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as exc:
        raise RemedyError(
            f"{path} cannot be read ({exc.strerror}): correct the path",
            f"无法读取 {path}（{exc.strerror}）：请改正路径",
        ) from exc
    if len(content) > most:
        raise RemedyError(f"{path} has more than {most} bytes: shorten it", f"{path} 超过 {most} 字节：请缩短")
    return content
