"""Actions on an incident, or on a share of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import ActionRefusal
from api.actions.queries import QUERIES
from api.context import Context
from api.http.problems import Problem, bad_parameter, not_found
from api.read.moment import load_now
from store.pool import Connection

IncidentAction = Callable[[Connection, datetime], Awaitable[None]]
"""What is done to an incident, at a time of the database."""


async def act_on_incident(
    context: Context, incident: int, action: IncidentAction, on_share: IncidentAction | None = None
) -> None:
    """Do to an incident what `action` says, now by the database's time. Raises ActionRefusedError.

    An account that holds only a share of the incident does `on_share` in its place; None: it may not.
    """
    async with context.database.transaction() as connection:
        chosen = await _choose(connection, incident, action, on_share)
        await chosen(connection, await load_now(connection))


async def _choose(
    connection: Connection, incident: int, action: IncidentAction, on_share: IncidentAction | None
) -> IncidentAction:
    held = await connection.fetchval(QUERIES.hold_on_incident, incident)
    if held == "whole":
        return action
    if held == "share" and on_share is not None:
        return on_share
    refusals = {"share": ActionRefusal.ONLY_SHARE, "part": ActionRefusal.ONLY_PART}
    raise ActionRefusedError(refusals.get(held, ActionRefusal.NOT_FOUND), incident)


def refused_action(exc: ActionRefusedError) -> Problem:
    """The answer to a client whose action was refused."""
    match exc.refusal:
        case ActionRefusal.NOT_FOUND:
            return not_found("incident", exc.incident)
        case ActionRefusal.EMPTY | ActionRefusal.TOO_LONG:
            return bad_parameter("text", str(exc))
        case ActionRefusal.BAD_ETA:
            return bad_parameter("eta", str(exc))
        case ActionRefusal.BAD_CAUSE:
            return bad_parameter("cause", str(exc))
        case ActionRefusal.ONLY_SHARE | ActionRefusal.ONLY_PART:
            return Problem(403, str(exc))
        case _:
            return Problem(409, str(exc))
