"""The person who acts by a request."""

from fastapi import Request

from api.http.middleware import ACTOR, SESSION


def actor_of(request: Request, by: str | None) -> str:
    """The person named, else the account of the token, or `console` in a browser."""
    return by or ("console" if request.scope[SESSION] else request.scope[ACTOR].account)
