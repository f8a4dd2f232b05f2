"""The person who acts by a request."""

from fastapi import Request

from api.http.middleware import ACTOR, NAMES


def actor_of(request: Request, by: str | None) -> str:
    """The person named, else the name for the holder of the token or the reader at the console."""
    return by or NAMES[request.scope[ACTOR]]
