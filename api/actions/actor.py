"""The account that acts by a request."""

from fastapi import Request

from access.rules import Actor
from api.http.middleware import ACTOR
from store.author import Author


def author_of(request: Request, by: str | None) -> Author:
    """The account of the session or token. `by`, the person that a client names, is kept beside it as a remark."""
    actor: Actor = request.scope[ACTOR]
    return Author(actor.account, (by or "").strip() or None)
