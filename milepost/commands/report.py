"""`milepost report`: reports of kept figures as PDF, XLSX or CSV."""

import argparse
import asyncio
import re
from datetime import date, datetime
from pathlib import Path
from typing import Final

from api.http.problems import Problem
from api.read.reports.effect import load_effect_facts
from api.read.reports.load import load_uptime_facts
from api.read.reports.programme import load_programme_facts
from api.read.reports.station import load_station_facts
from api.read.uptime.load import usual_period
from api.read.uptime.period import UptimePeriod, period_named
from audit.assessments.store import require_assessment
from audit.reports.assessment_report import assessment_report
from audit.reports.document import Report
from audit.reports.effect_report import effect_report
from audit.reports.formats import FORMATS, write_pdf
from audit.reports.programme_report import programme_report
from audit.reports.station_report import station_report
from audit.reports.uptime_report import uptime_report
from contract.bounds import require_day
from contract.errors import RemedyError
from contract.home import HOME
from contract.said import Said, SaidError
from milepost.commands import archive
from milepost.commands.account_database import required_url
from milepost.commands.backup import finish_unless_stopped
from milepost.language import of_here, show
from milepost.settings import Settings
from registry.codes import normal_code
from store.migrate import require_current
from store.pool import Connection, open_pool
from store.scoped import whole_url

_PERIOD: Final = re.compile(r"(19|20|21)\d\d(-(0[1-9]|1[0-2]))?")
_PROOF: Final = ".proof.txt"
"""The end of the name of the proof beside a sheet that is no PDF."""
_FEW: Final = 5_000
"""Maximum number of stations without a progress line; reading them takes a few seconds."""


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Write the report. Returns 130 when the command is stopped. Raises RemedyError."""
    return await finish_unless_stopped(stop, _write(settings, arguments))


async def _write(settings: Settings, arguments: argparse.Namespace) -> None:
    url = whole_url(required_url(settings.database_url))
    async with open_pool(url, name="report", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            if arguments.action == "assessment":
                report = await _assessment(connection, arguments)
            elif arguments.action == "programme":
                report = await _programmes(connection, arguments, _day(arguments.day))
            else:
                report = await _report(connection, arguments, await _period(connection, arguments.period))
    data = await asyncio.to_thread(_written, report, arguments.format, settings.fonts)
    path = arguments.out or Path(_name(arguments, report.subtitle))
    await _keep(path, data)
    if report.proof is not None and arguments.format != "pdf":
        await _keep(path.with_name(f"{path.name}{_PROOF}"), report.proof.encode())
    rows = len(report.tables[report.listed].rows)
    show(Said(f"{path}: {rows:,} rows, {len(data):,} bytes", f"{path}：{rows:,} 行，{len(data):,} 字节"))


def _written(report: Report, form: str, fonts: Path | None) -> bytes:
    try:
        if form == "pdf":
            return write_pdf(report, None if fonts is None else str(fonts.absolute()))
        return FORMATS[form].write(report)
    except SaidError as exc:
        raise RemedyError(exc.said.en, exc.said.zh) from exc


async def _keep(path: Path, data: bytes) -> None:
    with archive.new_file(path) as file:
        await asyncio.to_thread(file.write, data)


async def _programmes(connection: Connection, arguments: argparse.Namespace, day: date) -> Report:
    language = arguments.report_language or of_here()
    area = None if arguments.area is None else [given_code(arguments.area)]
    try:
        facts = await load_programme_facts(connection, area, day, language, progress=show_stations)
    except Problem as exc:
        if exc.status != 404:
            raise
        raise _unknown(arguments) from exc
    return await asyncio.to_thread(programme_report, facts, language)


async def _report(connection: Connection, arguments: argparse.Namespace, period: UptimePeriod) -> Report:
    language = arguments.report_language or of_here()
    try:
        if arguments.action == "station":
            return station_report(await load_station_facts(connection, arguments.station, period, language), language)
        area = None if arguments.area is None else [given_code(arguments.area)]
        if arguments.action == "effect":
            use = await load_effect_facts(connection, area, period, language, progress=show_stations)
            return await asyncio.to_thread(effect_report, use, language)
        facts = await load_uptime_facts(connection, area, period, language, progress=show_stations)
    except Problem as exc:
        if exc.status != 404:
            raise
        raise _unknown(arguments) from exc
    return await asyncio.to_thread(uptime_report, facts, language)


async def _assessment(connection: Connection, arguments: argparse.Namespace) -> Report:
    found = await require_assessment(connection, arguments.assessment)
    return await asyncio.to_thread(assessment_report, found, arguments.report_language or of_here())


def _unknown(arguments: argparse.Namespace) -> RemedyError:
    if arguments.action == "station":
        return RemedyError(
            f"there is no station {arguments.station}: correct it", f"没有服务点 {arguments.station}：请改正"
        )
    return RemedyError(f"there is no area {arguments.area}: correct it", f"没有区划 {arguments.area}：请改正")


def show_stations(stations: int) -> None:
    """A line of progress for many stations."""
    if stations > _FEW:
        show(Said(f"{stations:,} stations read", f"已读取 {stations:,} 个服务点"))


async def _period(connection: Connection, named: str | None) -> UptimePeriod:
    return await usual_period(connection) if named is None else given_period(named)


def given_period(named: str) -> UptimePeriod:
    """The period of `--period`. Raises RemedyError."""
    if not _PERIOD.fullmatch(named):
        raise RemedyError(
            f"--period: {named[:20]!r} is neither a month nor a year: write it as 2026-11 or 2026",
            f"--period：“{named[:20]}”不是月份或年份：请按 2026-11 或 2026 的格式填写",
        )
    return period_named(named)


def _day(named: str | None) -> date:
    try:
        found = datetime.now(HOME).date() if named is None else date.fromisoformat(named)
        return require_day(found)
    except ValueError as exc:
        raise RemedyError(
            f"--day: {(named or '')[:20]!r} is not a day: write it as 2026-11-30",
            f"--day：“{(named or '')[:20]}”不是日期：请按 2026-11-30 的格式填写",
        ) from exc


def given_code(named: str) -> str:
    """The code of `--area`. Raises RemedyError."""
    try:
        return normal_code(named)
    except SaidError as exc:
        raise RemedyError(f"--area: {exc.said.en}", f"--area：{exc.said.zh}") from exc


def _name(arguments: argparse.Namespace, period: str) -> str:
    # A station or an assessment is named by the argument of its own name.
    subject = getattr(arguments, arguments.action, None) or arguments.area or "all"
    safe = re.sub(r"[^\w.-]", "_", str(subject))
    return f"{arguments.action}-{safe}-{period}.{arguments.format}"
