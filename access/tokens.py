"""API tokens: their form and their expiry. Pure, except that a new token is random.

A token is `mp_{id}_{secret}`. The id names the token in lists, logs and revocations; the secret is shown once.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec

from contract.errors import RemedyError

PREFIX: Final = "mp"
LONGEST: Final = timedelta(days=400)
"""The longest validity of a token: a year and a month, so that its purpose is still known when it expires."""
USUAL: Final = timedelta(days=90)
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 5


class NewToken(msgspec.Struct, frozen=True):
    """A token that was just made. `text` is given to its user and not stored; the database stores `id` and `key`."""

    id: str
    text: str
    key: bytes


def new_token() -> NewToken:
    """A new random token with a secret of 256 bits."""
    token_id = secrets.token_hex(_ID_BYTES)
    text = f"{PREFIX}_{token_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewToken(token_id, text, key_of(text))


def key_of(text: str) -> bytes:
    """The SHA-256 of a token, which the database stores instead of it; enough for a secret of 256 bits."""
    return hashlib.sha256(text.encode()).digest()


def expiry(now: datetime, days: int | None) -> datetime:
    """When a new token expires. Raises RemedyError for a span that is not between one day and LONGEST."""
    span = USUAL if days is None else timedelta(days=days)
    if not timedelta(days=1) <= span <= LONGEST:
        raise RemedyError(
            f"a token is good for 1 to {LONGEST.days} days, not for {span.days}: correct the days",
            f"令牌有效期为 1 至 {LONGEST.days} 天，不能是 {span.days} 天：请改正天数",
        )
    return now + span
