"""Passwords: what one must be like, and their argon2id hashes.

The parameters are the second recommendation of RFC 9106 (64 MiB, three passes) with one lane, for two cores serve
everything here; a hash made with others is verified, and made anew at the next sign-in.
"""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from contract.errors import RemedyError

LEAST: Final = 10
MOST: Final = 256
"""Characters; hashing takes what is longer for an attack."""
_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
_NOBODYS: Final = _HASHER.hash("an account that is not there")


def require_password(password: str, login: str) -> None:
    """Raise RemedyError for a password that is too short, too long, or the account's own name."""
    if len(password) < LEAST:
        raise RemedyError(
            f"the password has {len(password)} characters: use at least {LEAST}",
            f"密码只有 {len(password)} 个字符：请至少使用 {LEAST} 个",
        )
    if len(password) > MOST:
        raise RemedyError(f"the password is too long: use at most {MOST} characters", f"密码过长：最多 {MOST} 个字符")
    if len(set(password)) < LEAST // 2 or login.casefold() in password.casefold():
        raise RemedyError(
            "the password repeats a few characters or holds the account's name: choose another one",
            "密码由少数字符重复组成，或包含账户名：请另选一个",
        )


def hash_password(password: str) -> str:
    """The hash to store, with its parameters and salt. Takes some 0.1 s of a core and 64 MiB."""
    return _HASHER.hash(password)


def is_password(stored: str | None, given: str) -> bool:
    """Whether a password is that of a stored hash. An account without one costs as much time as any other."""
    try:
        return _HASHER.verify(stored or _NOBODYS, given[: MOST + 1]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def is_to_hash_anew(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)
