"""The argon2id hashes of passwords.

The parameters are the second recommendation of RFC 9106 (64 MiB, three passes) with one lane, because Milepost runs on
two cores. A hash that was made with other parameters is verified, and made anew at the next sign-in.
"""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from access.rules import MOST_PASSWORD

_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
_UNKNOWN: Final = "$argon2id$v=19$m=65536,t=3,p=1$ufkHiV3XkW1QkQk2pxLGEw$cFhe587jYsIAO2YwzyK6LgSm+nZuBTz4euxr94vqtEk"
"""The hash of a password that nobody knows, compared for an account without one."""


def hash_password(password: str) -> str:
    """The hash to store, with its parameters and salt. Takes 64 MiB of memory."""
    return _HASHER.hash(password)


def is_password(stored: str | None, given: str) -> bool:
    """Whether a password is that of a stored hash. An account without a password (None) takes as long to refuse as any
    other, so the time of an answer does not show which accounts exist."""
    try:
        return _HASHER.verify(stored or _UNKNOWN, given[: MOST_PASSWORD + 1]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def is_to_hash_anew(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)
