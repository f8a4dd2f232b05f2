"""How long a browser stays signed in, and where it goes then. Pure; times in seconds since the epoch.

A person's session ends when it is not used for IDLE, and LONGEST after its beginning however much it is used. A wall
display's session only looks, and lasts for as long as it is used.
"""

from typing import Final

import msgspec

_DAY: Final = 86_400.0
IDLE: Final = 7 * _DAY
LONGEST: Final = 30 * _DAY
WALL_IDLE: Final = 30 * _DAY
WALL_COOKIE: Final = 400 * _DAY
"""Maximum age of a cookie in browsers; the cookie of a wall display is renewed while it is used."""
NOTED_EVERY: Final = 300.0
"""Seconds between two recorded uses."""
CODE_SECONDS: Final = 900.0
"""Seconds for which a one-use link can be used."""
MOST_SESSIONS: Final = 1000
MOST_CODES: Final = 100
"""Maximum numbers of one account. A further one ends the one that was used, or made, the longest ago."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in. `key` names its row; the secret is not in it."""

    key: bytes
    account: str
    wall: bool
    created: float
    used: float


def ends_at(session: Session) -> float:
    """When the session ends if it is not used again."""
    if session.wall:
        return session.used + WALL_IDLE
    return min(session.used + IDLE, session.created + LONGEST)


def is_over(session: Session, now: float) -> bool:
    """Whether the session has ended."""
    return now >= ends_at(session)


def is_to_note(session: Session, now: float) -> bool:
    """Whether its use now must be recorded."""
    return now - session.used >= NOTED_EVERY


def cookie_seconds(session: Session, now: float) -> int:
    """Seconds for which the browser should keep the cookie."""
    return int(WALL_COOKIE if session.wall else session.created + LONGEST - now)


def own_path(asked: str) -> str:
    """Where to go after signing in: the path that was asked for, if it is one of this server's, else the board."""
    is_path = asked.startswith("/") and not asked.startswith(("//", "/signin", "/signout"))
    if not is_path or "\\" in asked or not asked.isprintable():
        return "/"
    return asked
