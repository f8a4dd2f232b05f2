"""The token of a link: its number and a signature, in 16 characters that fit into an SMS. Pure.

4 bytes of the number, then the first 8 bytes of the HMAC-SHA-256 (RFC 2104) of all that the link stands for, in
base64url. Tokens are checked by the server only and wrong ones are counted, so that 64 bits cannot be tried.
"""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime
from typing import Final

import msgspec

KEY_BYTES: Final = 32
LENGTH: Final = 16
"""Characters of a token."""
_NUMBER_BYTES: Final = 4
_SIGN_BYTES: Final = 8
_PURPOSE: Final = "milepost link 1"


class LinkClaim(msgspec.Struct, frozen=True, kw_only=True):
    """What a link stands for; all of it is signed. `expires_at`: in whole seconds."""

    number: int
    incident: int
    contact: str
    expires_at: datetime


def link_token(key: bytes, claim: LinkClaim) -> str:
    """The token of a link. Raises OverflowError for a number of more than 32 bits."""
    raw = claim.number.to_bytes(_NUMBER_BYTES) + _signature(key, claim)
    return base64.urlsafe_b64encode(raw).decode()


def number_in(token: str) -> int | None:
    """The number of the link that a token names, genuine or not; None: the text cannot be a token."""
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    return int.from_bytes(raw[:_NUMBER_BYTES])


def is_genuine(key: bytes, claim: LinkClaim, token: str) -> bool:
    """Whether a token was made for this link with this key."""
    return hmac.compare_digest(link_token(key, claim).encode(), token.encode())


def _signature(key: bytes, claim: LinkClaim) -> bytes:
    # JSON keeps the fields apart, whatever a contact is called.
    signed = [_PURPOSE, claim.number, claim.incident, claim.contact, int(claim.expires_at.timestamp())]
    return hmac.digest(key, json.dumps(signed).encode(), hashlib.sha256)[:_SIGN_BYTES]
