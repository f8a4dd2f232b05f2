"""The account that acts by a link: that of its contact, as a technician, for one incident."""

from datetime import datetime

import msgspec
from fastapi import Request

from access.links.rules import VIA_LINK, LinkRefusal
from access.links.store import FoundLink, find_link
from access.links.token import number_in
from access.roles import PERMISSIONS, Permission, Role
from access.rules import Account, Actor
from access.scope import WHOLE
from access.store import load_account
from api.context import Context
from api.http.identity.tries import TOO_MANY, note_try, require_try
from api.http.problems import Problem
from api.read.moment import load_now
from store.author import Author


class LinkRefusedError(Exception):
    """The link is not good; `language`: of its contact, if there is one."""

    def __init__(self, why: LinkRefusal | str, status: int, language: str | None = None) -> None:
        super().__init__(str(why))
        self.why, self.status, self.language = str(why), status, language


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A request by a good link. `context`: within the scope of the account; `opened_at`: by the database's time."""

    link: FoundLink
    account: Account
    context: Context
    opened_at: datetime

    @property
    def author(self) -> Author:
        """The account, with the remark that it acts by a link."""
        return Author(self.account.id, VIA_LINK)

    def may(self, permission: str) -> bool:
        """Whether the account that acts by the link has a permission."""
        return self.context.actor is not None and self.context.actor.may(Permission(permission))


async def open_visit(request: Request, context: Context, token: str) -> Visit:
    """The visit by a token. Changes nothing. Raises LinkRefusedError for a link that is not good."""
    if number_in(token) is None:
        raise LinkRefusedError(LinkRefusal.FORGED, 404)  # cut off or mistyped: no guess
    given = token.encode()
    try:
        require_try(context.link_guesses, request.scope, given)
    except Problem as exc:
        raise LinkRefusedError("too_many", TOO_MANY) from exc
    async with context.database.within(WHOLE).snapshot() as connection:
        now = await load_now(connection)
        link = await find_link(connection, token, now)
        account = None if link is None else await load_account(connection, link.account)
    note_try(context.link_guesses, request.scope, given, right=link is not None)
    if link is None:
        raise LinkRefusedError(LinkRefusal.FORGED, 404)
    if link.refusal is not None or account is None:
        raise LinkRefusedError(link.refusal or LinkRefusal.RETIRED, 410, link.language)
    return Visit(link=link, account=account, context=_as(context, account), opened_at=now)


def _as(context: Context, account: Account) -> Context:
    """What a technician with this account may do."""
    permissions = PERMISSIONS[Role.TECHNICIAN] & PERMISSIONS[account.role]
    actor = Actor(account=account.id, permissions=permissions, scope=account.scope)
    database = context.database.within(actor.scope, actor.account)
    return msgspec.structs.replace(context, database=database, actor=actor)
