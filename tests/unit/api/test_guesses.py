"""How often a token may be guessed, and that nobody is locked out by somebody else's guesses."""

import pytest

from api.http.guesses import ALL, EACH, MOST, SECONDS_EACH, Guesses, network_of

GOOD, BAD = b"good", b"bad"


def wrong(guesses: Guesses, address: str, times: int, now: float = 0.0) -> int:
    """How many of so many wrong tries were looked at."""
    looked = 0
    for _ in range(times):
        if guesses.wait(address, BAD, now) == 0:
            looked += 1
            guesses.was_wrong(address, now)
    return looked


def test_an_address_has_so_many_tries_and_gets_one_back_after_a_while() -> None:
    guesses = Guesses(0.0)
    assert wrong(guesses, "10.0.0.1", 100) == EACH
    assert 0 < guesses.wait("10.0.0.1", BAD, 0.0) <= SECONDS_EACH
    assert wrong(guesses, "10.0.0.1", 100, now=SECONDS_EACH * 3) == 3


def test_another_address_and_who_was_right_from_there_before_are_let_in() -> None:
    guesses = Guesses(0.0)
    guesses.was_right("10.0.0.1", GOOD)
    wrong(guesses, "10.0.0.1", 100)
    assert guesses.wait("10.0.0.1", GOOD, 0.0) == 0, "behind one proxy with a guesser"
    assert guesses.wait("10.0.0.1", b"new", 0.0) > 0
    assert guesses.wait("10.0.0.2", GOOD, 0.0) == 0


def test_many_addresses_together_are_limited_but_for_the_first_try_of_each() -> None:
    guesses = Guesses(0.0)
    looked = [wrong(guesses, f"10.0.{number // 250}.{number % 250}", 3) for number in range(500)]
    assert sum(looked) <= ALL + 500
    assert min(looked) == 1
    assert guesses.wait("192.0.2.1", GOOD, 0.0) == 0


def test_memory_is_bounded() -> None:
    guesses = Guesses(0.0)
    for number in range(3 * MOST):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        guesses.was_wrong(address, float(number))
        guesses.was_right(address, b"%d" % number)
    assert (len(guesses._wrong), len(guesses._right)) == (MOST, MOST)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("x" * 1000, "x" * 64),
    ],
)
def test_who_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
