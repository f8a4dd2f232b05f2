"""`milepost route`: who would be told of an incident, and where and when nobody would be."""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from alerting.escalation.quiet_hours import QuietHours
from alerting.escalation.step_times import due_time
from contract.errors import RemedyError
from contract.kinds import KINDS
from contract.said import Said, SaidError
from milepost.commands.account_database import required_url
from milepost.commands.routing.route_texts import NamedThings, explained_text, write_gaps_csv, write_gaps_text
from milepost.language import of_here, show
from milepost.settings import Settings
from registry.codes import normal_code
from registry.importing.cells import moment
from registry.model import Area
from registry.routes.explaining import explain
from registry.routes.gaps import MOST_DAYS, NOWHERE, GapQuestion, find_gaps
from registry.routes.routing import RouteSubject, Routing
from registry.routes.steps import LONGEST_DELAY
from registry.routes.store import load_routing, load_station_openings, load_subject
from registry.store import list_areas
from store.migrate import require_current
from store.pool import Connection, open_pool
from store.scoped import whole_url

_SAY_AGAIN: Final = 5.0
_AHEAD: Final = timedelta(seconds=2 * LONGEST_DELAY)
"""How far openings are looked at: a step in open time may be due long after its delay."""


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Returns 0; 1 if no person would be told, or somewhere at some time. Raises RemedyError."""
    if arguments.kind is not None and arguments.kind not in KINDS:
        raise RemedyError(
            f"--kind: {arguments.kind[:40]!r} is not a kind of incidents: use {', '.join(KINDS)}",
            f"--kind：“{arguments.kind[:40]}”不是事件类型：请用 {'、'.join(KINDS)}",
        )
    work = _explain if arguments.action == "explain" else _gaps
    url = whole_url(required_url(settings.database_url))
    async with open_pool(url, name="route", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await work(connection, arguments)


async def _explain(connection: Connection, arguments: argparse.Namespace) -> int:
    at = _time("--at", arguments.at)
    subject = await _subject(connection, arguments)
    openings = (
        None if subject.station is None else await load_station_openings(connection, subject.station, at, at + _AHEAD)
    )
    routing = await load_routing(connection, since=at)
    known = _known(routing, await list_areas(connection))
    found = explain(routing, subject, at, lambda rule, begin: due_time(rule, begin, openings))
    show(explained_text(found, subject, known, QuietHours(routing).until))
    told = (routing.contacts[each.contact] for step in found.steps for each in step.recipients)
    return 0 if any(not contact.room for contact in told) else 1


async def _subject(connection: Connection, arguments: argparse.Namespace) -> RouteSubject:
    area = None if arguments.area is None else _code(arguments.area)
    severity = arguments.severity or KINDS[arguments.kind].severity
    found = await load_subject(connection, station=arguments.station, area=area, kind=arguments.kind, severity=severity)
    if found is None and area is not None:
        raise RemedyError(f"there is no area {area}: correct it", f"没有区划 {area}：请改正")
    if found is None:
        raise RemedyError(
            f"there is no station {arguments.station}: correct it", f"没有服务点 {arguments.station}：请改正"
        )
    return found


async def _gaps(connection: Connection, arguments: argparse.Namespace) -> int:
    if not 1 <= arguments.days <= MOST_DAYS:
        raise RemedyError(f"--days: use 1 to {MOST_DAYS}", f"--days：请用 1 至 {MOST_DAYS}")
    begin = _time("--from", arguments.begin).replace(second=0, microsecond=0)
    question = GapQuestion(
        begin=begin,
        end=begin + timedelta(days=arguments.days),
        kinds=() if arguments.kind is None else (arguments.kind,),
        severities=() if arguments.severity is None else (arguments.severity,),
    )
    routing = await load_routing(connection, since=begin)
    areas = await list_areas(connection)
    paths = _paths(areas, arguments.area)
    levels = {area.code: area.level for area in areas.values()}
    gaps = await asyncio.to_thread(find_gaps, routing, paths, levels, question, _Progress().say)
    known = _known(routing, areas)
    if arguments.csv:
        write_gaps_csv(sys.stdout, gaps, known)
    else:
        write_gaps_text(sys.stdout, gaps, known, question, len(paths))
    return 1 if gaps else 0


class _Progress:
    """Prints the progress of a long search on standard error, every five seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _SAY_AGAIN

    def say(self, done: int, of: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SAY_AGAIN
            said = Said(f"{done * 100 // of}% of the areas were searched", f"已检查 {done * 100 // of}% 的区划")
            sys.stderr.write(f"{said.text(of_here())}\n")


def _paths(areas: Mapping[str, Area], named: str | None) -> dict[str, tuple[str, ...]]:
    """The paths of the areas that are asked about; without a name also of no area."""
    if named is None:
        return {NOWHERE: (), **{area.code: area.path for area in areas.values()}}
    code = _code(named)
    if code not in areas:
        raise RemedyError(f"there is no area {code}: correct it", f"没有区划 {code}：请改正")
    return {area.code: area.path for area in areas.values() if code in area.path}


def _code(named: str) -> str:
    try:
        return normal_code(named)
    except SaidError as exc:
        raise RemedyError(f"--area: {exc.said.en}", f"--area：{exc.said.zh}") from exc


def _time(option: str, text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return moment(text)
    except SaidError as exc:
        raise RemedyError(f"{option}: {exc.said.en}", f"{option}：{exc.said.zh}") from exc


def _known(routing: Routing, areas: Mapping[str, Area]) -> NamedThings:
    return NamedThings(
        contacts=routing.contacts,
        duties={duty.id: duty for duty in routing.duties},
        areas=areas,
        routes={route.id: route for route in routing.routes},
    )
