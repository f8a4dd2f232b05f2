"""What the routers share: made once by the service, found on the app."""

from typing import Annotated

import msgspec
from fastapi import Depends, Request

from access.rules import Actor
from access.scope import NOTHING
from api.config import ApiConfig
from api.http.database import Database
from api.http.guesses import Guesses
from api.http.identity.actors import Identity
from api.http.identity.passwords import Passwords
from api.http.metrics import Metrics
from api.http.middleware import ACTOR
from api.http.session import AdminToken
from api.http.sessions import Sessions
from api.http.uploads.bounds import Uploads
from api.http.work import Work
from api.live.event_hub import EventHub
from store.made_up import MadeUp


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one API process that a request uses. `actor` sends the request, and `database` shows its scope;
    without an actor the database shows nothing. `link_guesses`: wrong tokens of links, which keep nobody from signing
    in. `made_up`: the history that was made up for a demonstration."""

    config: ApiConfig
    database: Database
    token: AdminToken
    sessions: Sessions
    guesses: Guesses
    link_guesses: Guesses
    identity: Identity
    passwords: Passwords
    hub: EventHub
    metrics: Metrics
    work: Work
    uploads: Uploads
    actor: Actor | None = None
    made_up: MadeUp | None = None

    @property
    def account(self) -> str:
        """The account that sends the request; empty without an account."""
        return "" if self.actor is None else self.actor.account


def _context(request: Request) -> Context:
    found: Context = request.app.state.context
    actor: Actor | None = request.scope[ACTOR]
    database = found.database.within(NOTHING) if actor is None else found.database.within(actor.scope, actor.account)
    return msgspec.structs.replace(found, database=database, actor=actor)


Shared = Annotated[Context, Depends(_context)]
