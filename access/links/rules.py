"""How long a link is good, why it is not, and what counts as the same form sent again. Pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

LIFE: Final = timedelta(days=7)
"""For how long a link is good."""
FRESH: Final = timedelta(days=4)
"""A message carries a link that is good for at least so long; otherwise a new one."""
VIA_LINK: Final = "via link"
"""The remark of an account that acts by a link."""
MOST_POSTS: Final = 60
"""Forms that a link takes in POSTS_WITHIN."""
POSTS_WITHIN: Final = timedelta(hours=1)
_LEAST_ONCE, _MOST_ONCE = 8, 64


class LinkRefusal(StrEnum):
    """Why a link is refused; the values name texts of the page."""

    #: No link has this token: mistyped, cut off or made up.
    FORGED = "forged"
    EXPIRED = "expired"
    #: The phone was reported lost.
    LOST = "lost"
    #: The contact is retired, or has no enabled account any more.
    RETIRED = "retired"


class LinkStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a genuine link now. `may_act`: its contact is not retired and has an enabled account."""

    expires_at: datetime
    ended_at: datetime | None = None
    may_act: bool = True


def refusal_of_link(standing: LinkStanding, now: datetime) -> LinkRefusal | None:
    """Why a genuine link is refused at `now`; None: it is good."""
    if standing.ended_at is not None:
        return LinkRefusal.LOST
    if not standing.may_act:
        return LinkRefusal.RETIRED
    return LinkRefusal.EXPIRED if standing.expires_at <= now else None


def expiry_of_link(now: datetime) -> datetime:
    """When a link that is made at `now` expires, in whole seconds."""
    return (now + LIFE).replace(microsecond=0)


def once_key(said: Mapping[str, str]) -> str | None:
    """The key of a form: a hash of all its fields, equal only for the same form sent again. None: the form has no valid
    field `once`.

    The page gives each form a random field `once`. The typed values are part of the key as well: a person who goes back
    in the browser and types something else sends a new form.
    """
    if not _LEAST_ONCE <= len(said.get("once", "")) <= _MOST_ONCE:
        return None
    return hashlib.sha256(json.dumps(sorted(said.items())).encode()).hexdigest()
