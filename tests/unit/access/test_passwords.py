"""Which passwords are taken, and that only the right one opens."""

import pytest
from argon2 import PasswordHasher

from access.passwords import _UNKNOWN, hash_password, is_password, is_to_hash_anew
from access.rules import MOST_PASSWORD, require_password
from contract.errors import RemedyError

REFUSED = {
    "too short": ("nine char", "9 characters"),
    "too long": ("x1" * MOST_PASSWORD, "too long"),
    "one character over and over": ("aaaaaaaaaaaaaa", "repeats"),
    "the login": ("Zhang.San2026", "contains the login"),
}


@pytest.mark.parametrize(("password", "why"), REFUSED.values(), ids=REFUSED)
def test_a_bad_password_is_refused_with_the_reason(password: str, why: str) -> None:
    with pytest.raises(RemedyError, match=why):
        require_password(password, "zhang.san")


@pytest.mark.parametrize("password", ["correct horse battery", "青海民和阅览室二〇二六年", "pässwörter  mit Abstand"])
def test_only_the_right_one_opens(password: str) -> None:
    require_password(password, "zhang.san")
    stored = hash_password(password)
    assert stored.startswith("$argon2id$")
    assert password not in stored
    assert is_password(stored, password)
    assert not is_password(stored, password + " ")
    assert not is_password(stored, "")
    assert hash_password(password) != stored, "each has a salt of its own"


def test_an_account_without_a_password_has_none_that_opens() -> None:
    assert not is_password(None, "an account that is not there")
    assert not is_password("not a hash", "x")
    assert not is_to_hash_anew(_UNKNOWN), "it takes as long as a password of today"


def test_a_password_that_is_longer_than_allowed_is_not_the_allowed_one() -> None:
    longest = ("ab1" * MOST_PASSWORD)[:MOST_PASSWORD]
    assert not is_password(hash_password(longest), longest + "x")


def test_a_hash_with_weaker_parameters_is_made_anew() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("correct horse battery")
    assert is_password(weak, "correct horse battery")
    assert is_to_hash_anew(weak)
    assert not is_to_hash_anew(hash_password("correct horse battery"))
