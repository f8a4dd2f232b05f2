"""A station and its terminals as documents: the verdict of now from rows, clocks, opening hours and closures. Pure."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from alerting.stations.expected import Cover
from alerting.stations.snapshot import UNPROVEN
from alerting.stations.verdict import LIVE, UP, Clock, Clocks, Verdict, judge
from api.read.rows import DatabaseRow
from api.read.schemas import StationDocument, TerminalDocument

_TIMED: Final = frozenset({"online", "away", "conflicting"})
"""States of a terminal that has a deadline."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_LONGEST_S: Final = 7 * 86_400.0
"""Deadlines that are further away say nothing and could overflow."""


def station_document(
    row: DatabaseRow, terminals: Sequence[DatabaseRow], clocks: Clocks, cover: Cover
) -> StationDocument:
    """A station from its row, its terminals' rows (by id), the clocks, opening hours and closures."""
    clock = clocks.clock_of(row["partition"], row["shard"] or heard_through(terminals))
    place = (row["id"], row["path"] or (), row["programmes"])
    hours, calendar = cover.hours(*place, row["calendar"]), cover.calendar(row["calendar"])
    judged = judge(
        lifecycle=row["lifecycle"],
        state=row["state"],
        usable=row["usable"],
        since=row["since"],
        clock=clock,
        now=clocks.now,
        hours=hours,
    )
    seen = [terminal["seen_at"] for terminal in terminals if terminal["seen_at"] is not None]
    documents = [terminal_document(terminal, clocks) for terminal in terminals]
    return StationDocument(
        id=row["id"],
        name=row["name"],
        area=row["area"],
        verdict=judged.verdict,
        since=judged.since,
        last_seen=max(seen, default=None),
        usable=row["usable"] if judged.verdict in LIVE else None,
        deadline=_falls_at(judged.verdict, documents, row["quorum"]),
        lifecycle=row["lifecycle"],
        terminals=documents,
        open=hours.open,
        opens_at=calendar.changes_at if calendar and not hours.open else None,
        closes_at=calendar.changes_at if calendar and hours.open else None,
        closure=next((closure.id for closure in cover.closures(*place)), None),
        flapping=row["flapping"],
        unknown_because=judged.why if judged.verdict is Verdict.UNKNOWN else None,
    )


def terminal_document(row: DatabaseRow, clocks: Clocks) -> TerminalDocument:
    """A terminal from its row. Its state is `unknown` while its clock is missing or cannot be trusted."""
    state = row["state"] or "never_seen"
    clock = clocks.clock_of(row["partition"], row["shard"])
    if state == UNPROVEN or (state != "never_seen" and (clock is None or not clocks.is_sound(clock))):
        state = "unknown"
    return TerminalDocument(
        id=row["id"],
        type=row["type"],
        counts=row["counts"],
        state=state,
        since=row["since"] if state != "unknown" else None,
        last_seen=row["seen_at"],
        usable=row["usable"] if state != "unknown" else None,
        users=row["users"],
        every=row["every"],
        deadline=_wall(clock, row["deadline"]) if clock is not None and state in _TIMED else None,
        installed_at=row["installed_at"],
        refresh_due=row["refresh_due"],
    )


def heard_through(terminals: Sequence[DatabaseRow]) -> str | None:
    """The shard through which one of the terminals was heard last; the lesser id decides between equals."""
    heard = [row for row in terminals if row["shard"] is not None]
    last = max(heard, key=lambda row: row["seen_at"] or _NEVER, default=None)
    return None if last is None else last["shard"]


def _wall(clock: Clock, deadline: float) -> datetime | None:
    """The time at which the pipeline clock shows `deadline` (pipeline seconds) if the clock goes on counting."""
    left = deadline - clock.clock
    if not math.isfinite(left) or abs(left) > _LONGEST_S:
        return None
    return clock.tick_at + timedelta(seconds=left)


def _falls_at(verdict: Verdict, terminals: Sequence[TerminalDocument], quorum: int) -> datetime | None:
    """When too few counting terminals are left: the quorum-th of the deadlines, the latest first."""
    if verdict not in UP and verdict is not Verdict.AWAY:
        return None
    times = sorted((t.deadline for t in terminals if t.counts and t.deadline is not None), reverse=True)
    place = quorum - 1 if verdict in UP else 0
    return times[place] if place < len(times) else None
