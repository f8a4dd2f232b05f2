"""Loads incidents from the database for a Book, and stores a Book."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from alerting.incidents.book import Book, Decision, Incident
from alerting.incidents.shares import ShareChange, reopened_parents, share_changes
from store.aside import POISON
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)


async def learn_newest(connection: Connection, book: Book, keys: Collection[str]) -> None:
    """Load the newest incident of each key into the book: if an incident of the key goes on, it is the newest."""
    if keys:
        rows = await connection.fetch(QUERIES.newest_of_keys, list(keys))
        book.learn(Incident(**dict(row)) for row in rows)


async def load_recent(connection: Connection, keys: Collection[str]) -> list[Incident]:
    """The latest incidents of each key, open or closed."""
    return [Incident(**dict(row)) for row in await connection.fetch(QUERIES.recent_of_shards, list(keys))]


async def load_open_of(connection: Connection, stations: Collection[str], kind: str) -> list[Incident]:
    """The incidents of a kind that go on at these stations."""
    return [Incident(**dict(row)) for row in await connection.fetch(QUERIES.open_of_stations, list(stations), kind)]


async def load_open_of_kind(connection: Connection, kind: str) -> list[Incident]:
    """The incidents of a kind that go on."""
    return [Incident(**dict(row)) for row in await connection.fetch(QUERIES.open_of_kind, kind)]


async def load_due_shelved(connection: Connection, now: datetime, limit: int) -> list[Incident]:
    """At most `limit` shelved incidents whose `reopen_at` has come by `now`, the earliest first."""
    return [Incident(**dict(row)) for row in await connection.fetch(QUERIES.due_shelved, now, limit)]


async def load_going_on(connection: Connection, stations: Collection[str]) -> list[Incident]:
    """The incidents of all kinds that go on at these stations."""
    return [Incident(**dict(row)) for row in await connection.fetch(QUERIES.going_on_at_stations, list(stations))]


async def load_left_behind(connection: Connection) -> list[str]:
    """The stations that moved, and whose incidents that go on did not."""
    return [row[0] for row in await connection.fetch(QUERIES.left_behind)]


async def move_over(connection: Connection, stations: Collection[str]) -> None:
    """Move the incidents that are over to the areas of these stations, if they still lie elsewhere."""
    await connection.execute(QUERIES.move_over, list(stations))


class _Write(msgspec.Struct, frozen=True):
    """The rows to write for a book, or for one incident of it.

    `notifications`: (incident, phase) of each; `rounds`: how often each of their incidents was reopened; `held`: the
    times until which notifications wait. The last two are by incident. `shares`: what changes in the shares of parents;
    `reopened`: the incidents whose shares lose their acknowledgements.
    """

    opened: Sequence[Incident]
    changed: Sequence[Incident]
    decisions: Sequence[Decision]
    notifications: Sequence[tuple[int, str]]
    rounds: Mapping[int, int]
    held: Mapping[int, datetime]
    shares: Sequence[ShareChange]
    reopened: Sequence[int]

    def of(self, incident: Incident) -> "_Write":
        """The rows about one incident."""
        number = incident.id
        return _Write(
            [one for one in self.opened if one.id == number],
            [one for one in self.changed if one.id == number],
            [decision for decision in self.decisions if decision.incident == number],
            [(one, phase) for one, phase in self.notifications if one == number],
            self.rounds,
            self.held,
            [change for change in self.shares if change.child == number],
            [one for one in self.reopened if one == number],
        )


async def store_book(connection: Connection, book: Book, now: datetime) -> dict[str, Exception]:
    """Store the changes of the book, in the caller's transaction.

    If the database refuses the changes of an incident, all other incidents are stored. Returns the refusals, by the
    keys of the incidents.
    """
    decisions = [decision for decision in book.decisions if decision.incident is not None]
    notifications = book.notifications()
    rounds = {number: book.round_of(number) for number, _ in notifications}
    shares, reopened = share_changes(book.pairs), reopened_parents(book.pairs)
    write = _Write(book.opened, book.changed, decisions, notifications, rounds, book.held, shares, reopened)
    if not write.opened and not write.changed:
        return {}
    ids = await _ids(connection, write.opened)
    refused: dict[str, Exception] = {}
    try:
        await _write_apart(connection, write, ids, now)
    except POISON:
        for incident in sorted((*write.changed, *write.opened), key=_order):
            try:
                await _write_apart(connection, write.of(incident), ids, now)
            except POISON as exc:
                refused[incident.key] = exc
    await connection.execute(QUERIES.tell_incident)
    return refused


def _order(incident: Incident) -> tuple[bool, bool, bool]:
    """Sort key: incidents that are over before new incidents of the same key, and parents before their children."""
    return incident.goes_on, incident.parent is not None, incident.id < 0


async def _write_apart(connection: Connection, write: _Write, ids: dict[int, int], now: datetime) -> None:
    """Store all of the changes, or none, in a savepoint."""
    async with connection.transaction():
        await _update(connection, write.changed, ids)
        await _insert(connection, write.opened, ids)
        await _entries(connection, write.decisions, ids, now)
        await _shares(connection, write, ids)
        if write.notifications:
            await connection.execute(
                QUERIES.insert_notifications,
                now,
                [ids.get(i, i) for i, _ in write.notifications],
                [phase for _, phase in write.notifications],
                [write.rounds[i] for i, _ in write.notifications],
                [write.held.get(i) for i, _ in write.notifications],
            )
            await connection.execute(QUERIES.tell_delivery)


async def _ids(connection: Connection, opened: Sequence[Incident]) -> dict[int, int]:
    """New stored ids, by the temporary ids of the book."""
    if not opened:
        return {}
    rows = await connection.fetch(QUERIES.new_ids, len(opened))
    return {new.id: row[0] for new, row in zip(opened, rows, strict=True)}


async def _update(connection: Connection, changed: Sequence[Incident], ids: dict[int, int]) -> None:
    """Update stored incidents; call this before the inserts, because one pass may close and open the same key."""
    if changed:
        await connection.execute(
            QUERIES.update_incidents,
            [x.id for x in changed],
            [x.status for x in changed],
            [x.area for x in changed],
            [x.began_at for x in changed],
            [x.closed_at for x in changed],
            [x.ended_at for x in changed],
            [x.reopen_at for x in changed],
            [_parent(x, ids) for x in changed],
            [_json(x) for x in changed],
        )


async def _insert(connection: Connection, opened: Sequence[Incident], ids: dict[int, int]) -> None:
    if opened:
        await connection.execute(
            QUERIES.insert_incidents,
            [ids[x.id] for x in opened],
            [x.kind for x in opened],
            [x.key for x in opened],
            [x.status for x in opened],
            [x.station for x in opened],
            [x.area for x in opened],
            [x.shard for x in opened],
            [x.began_at for x in opened],
            [x.opened_at for x in opened],
            [x.closed_at for x in opened],
            [x.ended_at for x in opened],
            [x.reopen_at for x in opened],
            [_parent(x, ids) for x in opened],
            [_json(x) for x in opened],
        )


async def _entries(connection: Connection, decisions: Sequence[Decision], ids: dict[int, int], now: datetime) -> None:
    incidents = [d.incident for d in decisions if d.incident is not None]
    await connection.execute(
        QUERIES.insert_entries,
        now,
        [ids.get(i, i) for i in incidents],
        [d.action.value for d in decisions],
        [d.reason for d in decisions],
    )


async def _shares(connection: Connection, write: _Write, ids: dict[int, int]) -> None:
    """Write what changes in shares; call this after the incidents are written, because their other children count."""
    shares = write.shares
    if shares:
        await connection.execute(
            QUERIES.change_shares,
            [ids.get(x.child, x.child) for x in shares],
            [ids.get(x.parent, x.parent) for x in shares],
            [x.area for x in shares],
            [x.station for x in shares],
            [x.thing for x in shares],
            [x.before for x in shares],
            [x.after for x in shares],
        )
    if write.reopened:
        await connection.execute(QUERIES.reopen_shares, list(write.reopened))


async def recount_shares(connection: Connection) -> None:
    """Count the shares of all incidents that are not over anew: after a restart, and when the tree of areas changed."""
    await _recount(connection, [row[0] for row in await connection.fetch(QUERIES.not_over)])


async def recount_shares_of(connection: Connection, stations: Collection[str]) -> None:
    """Count the shares anew in which these stations were ever counted, because they lie in other areas now."""
    await _recount(connection, [row[0] for row in await connection.fetch(QUERIES.parents_of_stations, list(stations))])


async def _recount(connection: Connection, parents: list[int]) -> None:
    if parents:
        await connection.execute(QUERIES.recount_shares, parents)


def _parent(incident: Incident, ids: dict[int, int]) -> int | None:
    return None if incident.parent is None else ids.get(incident.parent, incident.parent)


def _json(incident: Incident) -> str:
    return msgspec.json.encode(incident.detail).decode()
