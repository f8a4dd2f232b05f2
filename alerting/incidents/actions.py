"""What people do to an incident: acknowledge, assign, note, resolve. Each is one transaction with its entry."""

from datetime import datetime, timedelta
from typing import Final

from alerting.incidents.book import ActionRefusal, refusal
from alerting.incidents.store import QUERIES
from store.pool import Connection

_SENTENCES = {
    ActionRefusal.NOT_FOUND: "there is no incident {id}",
    ActionRefusal.CLOSED: "incident {id} is closed; only notes can be added to it",
    ActionRefusal.ALREADY_ACKNOWLEDGED: "incident {id} is acknowledged already",
    ActionRefusal.EMPTY: "the text is empty",
    ActionRefusal.TOO_LONG: "the text is too long",
}


REOPEN_AFTER: Final = timedelta(hours=4)
"""After how long an incident that a person closed opens again, if its fault goes on."""


class ActionRefusedError(Exception):
    """The action does not fit the incident; `refusal` names the rule."""

    def __init__(self, why: ActionRefusal, incident: int) -> None:
        super().__init__(_SENTENCES[why].format(id=incident))
        self.refusal = why
        self.incident = incident


async def acknowledge(connection: Connection, incident: int, actor: str, text: str | None, now: datetime) -> None:
    """Somebody looks after it. Raises ActionRefusedError."""
    async with connection.transaction():
        await _require(connection, "acknowledged", incident, text)
        await connection.execute(QUERIES.acknowledge_incident, incident, actor, now)
        await _record(connection, "acknowledged", incident, actor, text, now)


async def assign(connection: Connection, incident: int, actor: str, text: str, now: datetime) -> None:
    """Hand it to the person that `text` names. Raises ActionRefusedError."""
    async with connection.transaction():
        await _require(connection, "assigned", incident, text)
        await connection.execute(QUERIES.assign_incident, incident, text.strip())
        await _record(connection, "assigned", incident, actor, text.strip(), now)


async def note(connection: Connection, incident: int, actor: str, text: str, now: datetime) -> None:
    """Add a remark, also to a closed one. Raises ActionRefusedError."""
    async with connection.transaction():
        await _require(connection, "note", incident, text)
        await _record(connection, "note", incident, actor, text, now)


async def resolve(
    connection: Connection,
    incident: int,
    actor: str,
    text: str | None,
    now: datetime,
    after: timedelta = REOPEN_AFTER,
) -> None:
    """Close it by a person's word, for the reason `text`. That says nothing about the fault: if it goes on, the
    incident opens again `after` so long, and that it is over is told when it is. Raises ActionRefusedError."""
    async with connection.transaction():
        await _require(connection, "resolved", incident, text)
        reason = (text or "").strip() or None
        told = await connection.fetchrow(QUERIES.shelve_incident, incident, actor, now, now + after, reason)
        await _record(connection, "resolved", incident, actor, text, now)
        if told is not None and told["pages"]:
            await connection.execute(QUERIES.insert_notification, incident, "resolved", told["round"], now)
            await connection.execute(QUERIES.tell_delivery)


async def _require(connection: Connection, action: str, incident: int, text: str | None) -> None:
    """Lock the incident and check the rules."""
    status = await connection.fetchval(QUERIES.lock_incident, incident)
    why = refusal(action, status, text)
    if why is not None:
        raise ActionRefusedError(why, incident)


async def _record(
    connection: Connection, action: str, incident: int, actor: str, text: str | None, now: datetime
) -> None:
    await connection.execute(QUERIES.insert_entry, incident, now, actor, action, text)
    await connection.execute(QUERIES.tell_incident)
