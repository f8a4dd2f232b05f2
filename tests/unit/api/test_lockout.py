"""How many passwords may be tried, and that the tries of others lock no person out."""

import pytest

from api.http.guesses import Guesses
from api.http.identity.lockout import ACCOUNT, HERE, MOST, SECONDS_ACCOUNT, SECONDS_HERE, Lockout

HOME, OFFICE = "10.0.0.1", "10.9.9.9"


def tried(lockout: Lockout, login: str, network: str, times: int, now: float = 0.0, *, known: bool = False) -> int:
    """How many of so many wrong passwords were checked."""
    checked = 0
    for _ in range(times):
        if lockout.wait(login, network, now, known=known) == 0:
            lockout.begin(login, network, now, known=known)
            checked += 1
    return checked


def attacked(addresses: int = 500, login: str = "zhang", now: float = 0.0) -> Lockout:
    """A lockout after wrong tries of one account from many addresses."""
    lockout = Lockout()
    for number in range(addresses):
        tried(lockout, login, f"192.0.{number // 250}.{number % 250}", 3, now)
    return lockout


def test_an_account_has_so_many_tries_from_an_address_and_gets_one_back_after_a_while() -> None:
    lockout = Lockout()
    assert tried(lockout, "zhang", HOME, 100) == HERE
    assert 0 < lockout.wait("zhang", HOME, 0.0, known=True) <= SECONDS_HERE
    assert tried(lockout, "zhang", HOME, 100, now=3 * SECONDS_HERE) == 3


def test_an_account_has_so_many_tries_from_all_unknown_addresses_together() -> None:
    lockout = Lockout()
    checked = [tried(lockout, "zhang", f"192.0.2.{number}", 10) for number in range(200)]
    assert sum(checked) == ACCOUNT


def test_who_attacks_from_many_addresses_does_not_lock_out_the_person_at_a_known_one() -> None:
    lockout = attacked()
    assert lockout.wait("zhang", OFFICE, 0.0, known=False) > 0
    assert lockout.wait("zhang", OFFICE, 0.0, known=True) == 0
    assert tried(lockout, "zhang", OFFICE, 100, known=True) == HERE, "mistyped passwords have tries of their own"


def test_tries_in_a_known_browser_count_only_there() -> None:
    lockout = Lockout()
    assert tried(lockout, "zhang", "browser", 100, known=True) == HERE
    checked = [tried(lockout, "zhang", f"192.0.2.{number}", 10) for number in range(200)]
    assert sum(checked) == ACCOUNT


def test_nor_does_who_tries_other_accounts_from_that_address() -> None:
    lockout = Lockout()
    for number in range(50):
        tried(lockout, f"other{number}", OFFICE, 20)
    assert lockout.wait("zhang", OFFICE, 0.0, known=True) == 0


def test_nor_does_who_tries_tokens() -> None:
    """Tokens and passwords are counted apart, except for passwords from an unknown address."""
    guesses, lockout = Guesses(0.0), Lockout()
    for number in range(5000):
        guesses.was_wrong(f"198.51.{number // 250}.{number % 250}", 0.0)
        guesses.was_wrong(OFFICE, 0.0)
    assert guesses.wait(OFFICE, b"", 0.0) > 0
    assert lockout.wait("zhang", OFFICE, 0.0, known=True) == 0


def test_each_wait_is_bounded_however_many_tries_there_were() -> None:
    lockout = attacked(5000)
    assert lockout.wait("zhang", OFFICE, 0.0, known=False) <= SECONDS_ACCOUNT
    assert lockout.wait("zhang", "192.0.0.1", 0.0, known=False) <= SECONDS_ACCOUNT
    assert lockout.wait("zhang", OFFICE, SECONDS_ACCOUNT, known=False) == 0


@pytest.mark.parametrize("login", ["ZHANG", "zhang", "ZhAnG"])
def test_a_login_is_the_same_in_whatever_case_it_is_typed(login: str) -> None:
    lockout = Lockout()
    tried(lockout, "zhang", HOME, 100)
    assert lockout.wait(login, HOME, 0.0, known=True) > 0


def test_a_login_that_does_not_exist_is_held_back_as_any_other() -> None:
    lockout = Lockout()
    assert tried(lockout, "nobody", HOME, 100) == tried(lockout, "zhang", HOME, 100) == HERE


def test_right_passwords_do_not_count_and_tries_under_way_do() -> None:
    lockout = Lockout()
    for _ in range(100):
        assert lockout.wait("zhang", HOME, 0.0, known=False) == 0
        lockout.begin("zhang", HOME, 0.0)
        lockout.give_back("zhang", HOME, 0.0)
    assert tried(lockout, "zhang", HOME, 100) == HERE


def test_what_happens_in_a_known_browser_gives_nobody_else_a_try() -> None:
    lockout = attacked()
    lockout.begin("zhang", "browser", 0.0, known=True)
    lockout.give_back("zhang", "browser", 0.0, known=True)
    assert lockout.wait("zhang", OFFICE, 0.0, known=False) > 0


def test_the_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    lockout = Lockout()
    tried(lockout, "zhang", HOME, 100, now=1000.0)
    assert tried(lockout, "zhang", HOME, 100, now=0.0) == 0


def test_memory_is_bounded() -> None:
    lockout = Lockout()
    for number in range(3 * MOST):
        lockout.begin(f"{number}" * 100, f"2001:db8:{number:x}::", 0.0)
    assert len(lockout) == 2 * MOST
