"""The actions of a link. A form that is sent several times acts once."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from access.links.store import add_post, find_post
from access.roles import Permission
from alerting.incidents import actions
from alerting.repairs.rules import RepairSaid
from api.actions.incidents import IncidentAction, act_on_incident
from api.actions.photos import put_closure_photo, put_incident_photo
from api.actions.repairs import repairing
from api.actions.shares import acknowledge_shares, hand_over_shares, note_on_shares
from api.console.links.visit import Visit
from api.console.queries import QUERIES
from api.http.permissions import require
from api.http.problems import not_found
from api.read.incidents import load_incident
from registry.closures.rules import NewClosure
from registry.closures.store import declare
from registry.photos.rules import Photo, PhotoRefusal, PhotoRefusedError
from store.author import Author
from store.pool import Connection

HOURS: Final = (1, 2, 4, 8, 24, 48)
"""The hours until the expected end that the form offers."""
DAYS: Final = (1, 2, 3, 7, 14, 30)
"""The days of a closure that the form offers."""
SEEN: Final = "seen"
"""The field of the form with the account that works on the incident, as the page shows it."""
NEEDS: Final[Mapping[str, Permission]] = {
    "ack": Permission.ACKNOWLEDGE,
    "note": Permission.NOTE,
    "repair": Permission.REPAIR,
    "assign": Permission.HAND_OVER,
    "photo": Permission.NOTE,
    "closure": Permission.DECLARE_CLOSURE,
}
"""The buttons of the page, and the permission of each."""


class LinkForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form of the page. `once`: the key of the form (`once_key`)."""

    act: str
    once: str
    said: Mapping[str, str]
    photo: Photo | None = None

    @property
    def text(self) -> str:
        """The text of the form."""
        return self.said.get("text", "")


class _SentBeforeError(Exception):
    """The form was sent before."""


class TakenError(Exception):
    """Another person took the incident after the page was shown."""


async def act_once(visit: Visit, form: LinkForm) -> bool:
    """Do what a form says; False: the same form was sent before, and nothing happens.

    Raises ActionRefusedError, TakenError, TooManyPostsError, LookupError if the link ended meanwhile, and a Problem.
    """
    need = NEEDS.get(form.act)
    if need is None:
        raise not_found("action", form.act)
    require(visit.context.actor, need)
    action, on_share = _ACTIONS[form.act](visit, form), _on_share(visit, form)
    try:
        await act_on_incident(
            visit.context, visit.link.incident, _once(visit, form, action), on_share and _once(visit, form, on_share)
        )
    except _SentBeforeError:
        return False
    return True


def _once(visit: Visit, form: LinkForm, action: IncidentAction) -> IncidentAction:
    """The action, and in its transaction the form that was sent."""

    async def act(connection: Connection, now: datetime) -> None:
        if await find_post(connection, visit.link.number, form.once, now) is not None:
            raise _SentBeforeError
        await action(connection, now)
        await add_post(connection, visit.link.number, form.once, {"did": form.act}, now)

    return act


def _on_share(visit: Visit, form: LinkForm) -> IncidentAction | None:
    """The same for an account that holds only a share of the incident."""
    number, by, text = visit.link.incident, visit.author, form.text
    to, usual = form.said.get("assignee", ""), visit.context.config.acknowledging(None)
    on_share: Mapping[str, IncidentAction] = {
        "ack": lambda connection, now: acknowledge_shares(
            connection, number, by, text or None, now, _until(visit, form, now)
        ),
        "assign": lambda connection, now: hand_over_shares(connection, number, by, to, now, usual),
        "note": lambda connection, now: note_on_shares(connection, number, by, text, now),
    }
    return on_share.get(form.act)


def _acknowledging(visit: Visit, form: LinkForm) -> IncidentAction:
    async def act(connection: Connection, now: datetime) -> None:
        until = _until(visit, form, now)
        if await _owner_as_seen(connection, visit, form) not in (None, visit.account.id) and until.eta is None:
            until = actions.Expected(now + until.otherwise)  # taken over: the time counts from now
        number, by = visit.link.incident, visit.author
        await actions.acknowledge(connection, number, by, form.text or None, now, until)

    return act


def _until(visit: Visit, form: LinkForm, now: datetime) -> actions.Expected:
    hours = hours_of(form.said.get("hours", ""))
    return visit.context.config.acknowledging(None if hours is None else now + timedelta(hours=hours))


async def _owner_as_seen(connection: Connection, visit: Visit, form: LinkForm) -> str | None:
    """The account that works on the incident. Raises TakenError when the page (its field `seen`) did not show this
    account, so that no person takes over an incident by accident."""
    owner: str | None = await connection.fetchval(QUERIES.hold_owner, visit.link.incident)
    if owner is not None and owner not in (visit.account.id, form.said.get(SEEN)):
        raise TakenError
    return owner


def hours_of(text: str) -> int | None:
    """The hours of the form; None: none of those that it offers."""
    return next((hours for hours in HOURS if text == str(hours)), None)


def _noting(visit: Visit, form: LinkForm) -> IncidentAction:
    return lambda connection, now: actions.note(connection, visit.link.incident, visit.author, form.text, now)


def _handing_over(visit: Visit, form: LinkForm) -> IncidentAction:
    to = form.said.get("assignee", "")
    return lambda connection, now: actions.assign(connection, visit.link.incident, visit.author, to, now)


def _repairing(visit: Visit, form: LinkForm) -> IncidentAction:
    said = RepairSaid(
        cause=form.said.get("cause", ""),
        parts=form.said.get("parts", ""),
        text=form.text,
        fixed=form.said.get("fixed") == "yes",
    )
    return repairing(visit.context, visit.link.incident, visit.author, said, form.photo)


def _photographing(visit: Visit, form: LinkForm) -> IncidentAction:
    async def act(connection: Connection, now: datetime) -> None:
        if form.photo is None:
            raise PhotoRefusedError(PhotoRefusal.EMPTY)
        await put_incident_photo(connection, visit.link.incident, visit.author, form.photo, now)

    return act


def _closing(visit: Visit, form: LinkForm) -> IncidentAction:
    async def act(connection: Connection, now: datetime) -> None:
        station = (await load_incident(connection, visit.link.incident)).station
        made = await declare(connection, new_closure(form.said, station, visit.author, now))
        if form.photo is not None:
            await put_closure_photo(connection, made.id, visit.author, form.photo)

    return act


def new_closure(said: Mapping[str, str], station: str | None, by: Author, now: datetime) -> NewClosure:
    """The closure of a form: of the station of the incident, from now for some days."""
    until = now + timedelta(days=days_of(said.get("days", "")))
    return NewClosure(
        station=station,
        from_at=now,
        until_at=until,
        reason=said.get("text", ""),
        declared_by=by.account,
        remark=by.remark,
    )


def days_of(text: str) -> int:
    """The days of the form; the fewest for what it does not offer."""
    return next((days for days in DAYS if text == str(days)), DAYS[0])


_ACTIONS: Final[Mapping[str, Callable[[Visit, LinkForm], IncidentAction]]] = {
    "ack": _acknowledging,
    "note": _noting,
    "repair": _repairing,
    "assign": _handing_over,
    "photo": _photographing,
    "closure": _closing,
}
