"""Identity conflicts: two devices under one identity, or one device as two terminals. Pure.

The judges find two devices under one identity: two boots send heartbeats at the same time. The judges also find a
device that was restored to an earlier state, or that does not count its heartbeats: their numbers are not newer. This
module finds one agent, or a copy of its running system, that sends as two terminals: both have the same boot. A boot is
32 random bits, so among 700,000 terminals some have the same boot by chance. Therefore the run must be the same too,
and the numbers of the heartbeats must be near each other.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import msgspec

from alerting.incidents.book import Book, Incident
from alerting.liveness.rivals import NUMBERS, OTHER_UNHEARD
from alerting.stations.model import StationChange
from alerting.stations.table import Field
from contract.kinds import IncidentKind

CONFLICTING: Final = "conflicting"
TWO_BOOTS: Final = "two_boots"
ONE_BOOT: Final = "one_boot"
_OF_JUDGES: Final = frozenset({TWO_BOOTS, NUMBERS})
NEAR: Final = 10
"""Largest difference between the heartbeat numbers of two terminals that send as one agent."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal that is heard now: its boot, its run and the number `n` of its last heartbeat."""

    station: str
    terminal: str
    boot: str
    run: int
    n: int

    @property
    def key(self) -> str:
        """The key of the terminal's incident."""
        return conflict_key(self.station, self.terminal)


def conflict_key(station: str, terminal: str) -> str:
    """The key of the incident of a terminal with an identity conflict."""
    return f"{IncidentKind.IDENTITY_CONFLICT}:{station}:{terminal}"


def follow_judges(book: Book, changes: Iterable[StationChange], field: Field, now: datetime) -> None:
    """Open, update and close conflicts from the judges' transitions of terminals.

    The book must hold the newest incident of each terminal that is or was conflicting.
    """
    for change in changes:
        if change.terminal is None:
            continue
        key = conflict_key(change.station, change.terminal)
        known = book.open_of(key)
        reason = NUMBERS if change.reason == NUMBERS else TWO_BOOTS
        if change.after == CONFLICTING and known is None:
            _open(book, field, (change.station, change.terminal), change.at, now, {"reason": reason})
        elif known is None or known.detail.get("reason") not in _OF_JUDGES:
            continue
        elif change.after == CONFLICTING:
            book.update(msgspec.structs.replace(known, detail=known.detail | {"reason": reason}), reason)
        elif change.before == CONFLICTING:
            reason = OTHER_UNHEARD if change.reason == OTHER_UNHEARD else change.after
            book.close(known, ended_at=change.at, now=now, reason=reason)


def follow_shared_boots(book: Book, shared: Sequence[Sequence[Sender]], field: Field, now: datetime) -> None:
    """Open and close conflicts from `shared`: all groups of terminals that share a boot now.

    The book must hold the newest incident of each of these terminals, and all open incidents of this kind.
    """
    sending = {sender.key: (sender, group) for group in shared for sender in group}
    for known in book.open_of_kind(IncidentKind.IDENTITY_CONFLICT):
        if known.detail.get("reason") == ONE_BOOT and known.key not in sending:
            book.close(known, ended_at=now, now=now, reason="over")
    for key, (sender, group) in sorted(sending.items()):
        others = [f"{other.station}/{other.terminal}" for other in group if other.key != key]
        if book.open_of(key) is None:
            detail = {"reason": ONE_BOOT, "boot": sender.boot, "with": others}
            _open(book, field, (sender.station, sender.terminal), now, now, detail)


def follow_service(book: Book, left: Collection[str], now: datetime) -> None:
    """Close the conflicts of the stations that left service; the book must hold their open conflicts."""
    for known in book.open_of_kind(IncidentKind.IDENTITY_CONFLICT):
        if known.station in left:
            book.close(known, ended_at=now, now=now, reason="out_of_service")


def sending_as_one(senders: Iterable[Sender]) -> list[list[Sender]]:
    """The groups of terminals with the same boot and run, and with heartbeat numbers near each other."""
    groups: dict[tuple[str, int], list[Sender]] = {}
    for sender in senders:
        groups.setdefault((sender.boot, sender.run), []).append(sender)
    return [group for found in groups.values() for group in _near_numbers(found)]


def _near_numbers(senders: list[Sender]) -> list[list[Sender]]:
    ordered = sorted(senders, key=lambda sender: (sender.n, sender.key))
    groups = [ordered[:1]]
    for before, after in pairwise(ordered):
        if after.n - before.n <= NEAR:
            groups[-1].append(after)
        else:
            groups.append([after])
    return [group for group in groups if len(group) > 1]


def _open(
    book: Book, field: Field, who: tuple[str, str], began_at: datetime, now: datetime, detail: dict[str, Any]
) -> None:
    station, terminal = who
    standing = field.standing(station)
    if standing is None or not standing.in_service:
        book.ignore(conflict_key(station, terminal), "not_in_service")
        return
    book.open(
        Incident(
            id=0,
            kind=IncidentKind.IDENTITY_CONFLICT,
            key=conflict_key(station, terminal),
            status="open",
            station=station,
            area=standing.area,
            began_at=began_at,
            opened_at=now,
            detail={"terminal": terminal} | detail,
        ),
        detail["reason"],
    )
