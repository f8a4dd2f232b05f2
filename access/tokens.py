"""API tokens: how they are written, and until when they are good. Pure but for the randomness of a new one.

A token is `mp_{id}_{secret}`: the id says in lists, logs and revocations which one is meant, the secret is shown once.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec

from contract.errors import RemedyError

PREFIX: Final = "mp"
LONGEST: Final = timedelta(days=400)
"""A token that is good for longer outlives the memory of what it was made for."""
USUAL: Final = timedelta(days=90)
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 5
_TOKEN: Final = re.compile(rf"{PREFIX}_(?P<id>[a-z0-9]{{8,16}})_(?P<secret>[A-Za-z0-9_-]{{40,60}})")


class NewToken(msgspec.Struct, frozen=True):
    """A token at its making: `text` is for its user alone, the database keeps `id` and `key`."""

    id: str
    text: str
    key: bytes


def new_token() -> NewToken:
    """A token that nobody can guess (256 bits)."""
    token_id = secrets.token_hex(_ID_BYTES)
    text = f"{PREFIX}_{token_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewToken(token_id, text, key_of(text))


def key_of(text: str) -> bytes:
    """What the database knows a token by. SHA-256 is enough for a secret of 256 bits."""
    return hashlib.sha256(text.encode()).digest()


def id_of(text: str) -> str | None:
    """The id of what is written like a token, else None."""
    found = _TOKEN.fullmatch(text)
    return None if found is None else found["id"]


def expiry(now: datetime, days: int | None) -> datetime:
    """When a new token expires. Raises RemedyError for a span that is not between one day and LONGEST."""
    span = USUAL if days is None else timedelta(days=days)
    if not timedelta(days=1) <= span <= LONGEST:
        raise RemedyError(
            f"a token is good for 1 to {LONGEST.days} days, not for {span.days}: make a new one before it expires",
            f"令牌有效期为 1 至 {LONGEST.days} 天，不能是 {span.days} 天：请在到期前新建令牌",
        )
    return now + span
