"""Keeping days: closes the days that the pipeline clocks have passed, and revises kept days when new facts arrive.

One pass is one transaction with one snapshot. It takes the new facts, writes revisions of kept days, closes the next
day if possible, and writes the entries of the ledger about all of these. So a killed process leaves nothing incomplete,
and the next process continues after the last commit.
"""

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from audit.days.compute_store import CHUNK, ComputedStation, DayRange, compute
from audit.days.day_store import (
    QUERIES,
    DayState,
    add_to_areas,
    load_clocks,
    load_kept,
    lock_state,
    put_to_sleep,
    revised_days,
    write_days,
    write_shares,
)
from audit.days.figures import Figures
from audit.days.freezing import following_month, frozen_at, months_between
from audit.days.left_out_store import SERVICE, again, leave_out, load_attempts, load_left_out, take_in
from audit.days.local_days import LocalDay, is_closed, local_days, readable_zones
from audit.days.old_day_store import days_of, name_old_days
from audit.days.revisions import DayRevision, RevisionCause, next_revision
from audit.days.sealed.tree_store import AreaDay, revised_areas, seal_day, seal_month, seal_revisions
from audit.days.shares import QuietPlace, is_quiet_from, quiet_place
from audit.days.source_store import StationTouch, take_news
from audit.days.station_days import StationDay
from audit.days.touches import LONG_AGO
from contract.home import HOME_ZONE
from contract.log import PLAUSIBLE
from registry.facts.store import take_cut
from registry.hours.opening_text import ScheduleError
from store.pool import Connection

log = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)
PLAUSIBLE_TIMES: Final = tuple(datetime.fromtimestamp(ms / 1000, UTC) for ms in PLAUSIBLE)
"""The first and the last time at which a judge can have decided anything."""


class PassResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass did: the day that it closed, how many revisions it wrote, and the months that it froze."""

    closed: date | None = None
    revisions: int = 0
    frozen: tuple[date, ...] = ()


NOTHING_DONE: Final = PassResult()


async def keep_days(connection: Connection) -> PassResult:
    """One pass. After a pass that closed a day another one may be due at once.

    Raises TimeoutError when writers of the registry left no moment for a cut.
    """
    cut = await take_cut(connection)
    # In a transaction of its own: a row that changes after the snapshot could not be deleted.
    await connection.execute(QUERIES.claim_touches)
    async with connection.transaction(isolation="repeatable_read"):
        state = await lock_state(connection) or await _begin(connection)
        if state is None:
            return NOTHING_DONE
        zones = readable_zones([row["zone"] for row in await connection.fetch(QUERIES.zones)])
        revisions = await _follow(connection, state, cut, zones)
        clock, gaps = await load_clocks(connection)
        following = _everywhere(state.last_day + _DAY, zones)
        closes = clock is not None and is_closed(following, clock, gaps)
        last = following.day if closes else state.last_day
        if closes:
            revisions += await _close(connection, state, last, cut)
        await connection.execute(QUERIES.set_state, cut, last)
        frozen = [] if clock is None else await _freeze(connection, state.first_day, last, clock, cut)
        return PassResult(closed=last if closes else None, revisions=revisions, frozen=tuple(frozen))


async def _begin(connection: Connection) -> DayState | None:
    """The first kept day is that of the first decision of a judge."""
    first = await connection.fetchval(QUERIES.first_change, *PLAUSIBLE_TIMES)
    if first is None:
        return None
    await connection.execute(QUERIES.begin_state, first.astimezone(ZoneInfo(HOME_ZONE)).date())
    await connection.execute(QUERIES.wake_all)
    return await lock_state(connection)


def _everywhere(day: date, zones: Sequence[ZoneInfo]) -> LocalDay:
    """A local day from its first beginning to its last end in some zones."""
    days = [local_days(day, day, lambda _, zone=zone: zone)[0] for zone in zones]  # type: ignore[misc]
    return LocalDay(day, min(each.begin for each in days), max(each.end for each in days))


async def _follow(connection: Connection, state: DayState, cut: int, zones: Sequence[ZoneInfo]) -> int:
    """Wake the stations to which something happened, and revise the kept days that it changes."""
    news = await take_news(connection, state.cut if state.cut >= 0 else cut, cut)
    until: dict[str, datetime] = {}
    for touch in news:
        until[touch.station] = max(touch.wakes, until.get(touch.station, touch.wakes))
    if until:
        await connection.execute(QUERIES.wake, list(until), list(until.values()), state.last_day + _DAY)
    kept_end = _everywhere(state.last_day, zones).end
    waiting = await load_left_out(connection, (touch.station for touch in news))
    late = [touch for touch in (*map(again, waiting), *news) if touch.began_at < kept_end]
    return await _revise(connection, state, cut, late, waiting) if late and state.last_day >= state.first_day else 0


async def _revise(
    connection: Connection, state: DayState, cut: int, late: Sequence[StationTouch], waiting: Collection[str]
) -> int:
    """Revise the kept days that touches may change; `waiting`: the stations of these touches that were left out
    before."""
    touches: dict[str, list[StationTouch]] = {}
    for touch in late:
        touches.setdefault(touch.station, []).append(touch)
    frozen = [row["month"] for row in await connection.fetch(QUERIES.frozen_months)]
    await name_old_days(connection, late, state)
    ranges = {station: _range(own, state) for station, own in touches.items()}
    wanted = {station: days for station, days in ranges.items() if days[0] <= days[1]}
    count, areas = 0, set[AreaDay]()
    refused: dict[str, Exception] = {}
    async for chunk in _in_chunks(compute(connection, wanted, cut, refused.__setitem__)):
        revised = await _write_revisions(connection, chunk, touches, cut, frozen)
        count += len(revised)
        areas |= await revised_areas(connection, revised)
    await seal_revisions(connection, areas)
    await leave_out(connection, refused)
    await take_in(connection, set(waiting) - refused.keys())
    return count


def _range(touches: Iterable[StationTouch], state: DayState) -> DayRange:
    """The kept days in which a touch may change something, and a day around for the zones. A day some of whose sources
    are deleted is never computed again."""
    spans = [days_of(touch) for touch in touches]
    first = max(state.first_computable, min(span[0] for span in spans))
    return first, min(state.last_day, max(span[1] for span in spans))


async def _write_revisions(
    connection: Connection,
    chunk: Sequence[ComputedStation],
    touches: Mapping[str, Sequence[StationTouch]],
    cut: int,
    frozen: Sequence[date],
) -> list[tuple[str, date]]:
    first, last = min(each.days[0].day for each in chunk), max(each.days[-1].day for each in chunk)
    kept = await load_kept(connection, [each.station for each in chunk], first, last)
    revisions: list[DayRevision] = []
    pairs: list[tuple[StationDay, StationDay]] = []
    for each in chunk:
        for day, fresh in zip(each.days, each.figures, strict=True):
            before = kept.get((each.station, day.day), _not_kept(fresh))
            made = _revision(before, fresh, day, touches[each.station])
            if made is not None:
                revisions.append(made)
                pairs.append((before, made.day))
    await write_days(connection, [each.day for each in revisions], cut, causes=revised_days(revisions), frozen=frozen)
    await add_to_areas(connection, pairs)
    return [(each.day.station, each.day.day) for each in revisions]


def _not_kept(fresh: StationDay) -> StationDay:
    """A day on which the station was not registered, as far as was known."""
    return StationDay(station=fresh.station, day=fresh.day, revision=0, figures=Figures())


def _revision(
    before: StationDay, fresh: StationDay, day: LocalDay, touches: Iterable[StationTouch]
) -> DayRevision | None:
    """The next revision of a day if one of its figures or its areas differ."""
    if (before.figures, before.path) == (fresh.figures, fresh.path):
        return None
    causes = {touch.cause for touch in touches if touch.began_at < day.end and touch.ended_at > day.begin}
    return next_revision(before, fresh, causes or {RevisionCause.JUDGED})


async def _close(connection: Connection, state: DayState, day: date, cut: int) -> int:
    """Compute a day: all quiet stations by their groups, then the awake stations one by one; then retry some stations
    that were left out before. Returns the number of revisions of these stations."""
    await _close_groups(connection, day, cut)
    refused: dict[str, Exception] = {}
    after = ""
    while rows := await connection.fetch(QUERIES.awake, after, CHUNK):
        after = rows[-1]["station"]
        until = {row["station"]: row["until"] for row in rows}
        wanted = dict.fromkeys(until, (day, day))
        found = [each async for each in compute(connection, wanted, cut, refused.__setitem__)]
        await write_days(connection, [each.figures[0] for each in found if _is_anything(each.figures[0])], cut)
        quiet = dict(_quiet_places(found, until))
        await put_to_sleep(connection, {name: place for name, place in quiet.items() if place}, day + _DAY)
        await connection.execute(QUERIES.forget, [name for name, place in quiet.items() if place is None])
    await connection.execute(QUERIES.add_area_days, day)
    await seal_day(connection, day)
    await connection.execute(QUERIES.forget_old_days, SERVICE)
    waiting = await load_attempts(connection, day)
    await leave_out(connection, refused)
    return await _revise(connection, msgspec.structs.replace(state, last_day=day), cut, [*map(again, waiting)], waiting)


async def _close_groups(connection: Connection, day: date, cut: int) -> None:
    """Compute one station of each group. If that station cannot be computed, it wakes, and another station of the group
    is computed; if this fails too, the whole group wakes."""
    for last in (False, True):
        samples = {row["station"]: row["share"] for row in await connection.fetch(QUERIES.samples, day)}
        failed: dict[str, Exception] = {}
        wanted = dict.fromkeys(samples, (day, day))
        async for chunk in _in_chunks(compute(connection, wanted, cut, failed.__setitem__)):
            figures = {samples[each.station]: each.figures[0].figures for each in chunk}
            await write_shares(connection, day, figures)
        if not failed:
            return
        shares = [samples[station] for station in failed]
        members = await connection.fetch(QUERIES.members, shares) if last else []
        await _wake(connection, failed.keys() | {row["station"] for row in members}, day)


async def _wake(connection: Connection, stations: Collection[str], day: date) -> None:
    """From a day on, these stations are computed one by one."""
    await connection.execute(QUERIES.wake, list(stations), [LONG_AGO] * len(stations), day)


def _is_anything(day: StationDay) -> bool:
    """Whether the station was registered on the day."""
    return bool(day.path) or day.figures != Figures()


def _quiet_places(
    found: Iterable[ComputedStation], until: Mapping[str, datetime]
) -> Iterator[tuple[str, QuietPlace | None]]:
    """The stations to which nothing happens from the next day on, and their groups; None: not registered any more."""
    for each in found:
        try:
            if is_quiet_from(each.following, until[each.station], each.registry, each.station, each.recorded):
                yield each.station, quiet_place(each.registry, each.station, each.following, each.recorded.changes)
        except ScheduleError as exc:
            log.warning(
                "a station stays awake: the hours of the next day cannot be read",
                extra={"station": each.station, "error": str(exc)},
            )


async def _freeze(connection: Connection, first: date, last: date, clock: datetime, cut: int) -> list[date]:
    """Freeze the months of which all days are kept and whose time has come."""
    known = {row["month"] for row in await connection.fetch(QUERIES.frozen_months)}
    due = [month for month in months_between(first, last) if month not in known and frozen_at(month) <= clock]
    whole = [month for month in due if following_month(month) <= last + _DAY]
    for month in whole:
        await connection.execute(QUERIES.freeze, month, following_month(month), clock, cut)
        await seal_month(connection, month)
    return whole


async def _in_chunks(found: AsyncIterator[ComputedStation]) -> AsyncIterator[list[ComputedStation]]:
    chunk: list[ComputedStation] = []
    async for each in found:
        chunk.append(each)
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
