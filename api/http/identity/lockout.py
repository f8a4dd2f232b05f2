"""How many wrong passwords are allowed: of an account, and of an account from one place. Pure; `now` in seconds.

A place is an address, or a browser in which the account signed in lately (`known`). Accounts are named by the login
that is typed, in the lower case of the database, so that one that does not exist is held back as any other. In a known
browser only tries from there count, and they count only there; so tries from elsewhere lock no person out, and a right
password gives no other client a try back. What an address has tried in all is counted by `Guesses`, except in a known
browser.

Each wait is at most SECONDS_ACCOUNT; tries under way count as wrong ones, so that many at once are no way around it.
"""

from collections import OrderedDict
from typing import Final, TypeVar

from api.http.guesses import Bucket

HERE: Final = 10.0
"""Wrong tries of an account from one place at once; one comes back in SECONDS_HERE."""
SECONDS_HERE: Final = 6.0
ACCOUNT: Final = 20.0
"""Wrong tries of an account from all places together; one comes back in SECONDS_ACCOUNT."""
SECONDS_ACCOUNT: Final = 30.0
MOST: Final = 4096
"""Maximum number of accounts, and of pairs of an account and a place, that are kept; the oldest are dropped."""
_LONGEST: Final = 64

_K = TypeVar("_K")


class Lockout:
    """Tries by account, and by account and place."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[str, Bucket] = OrderedDict()
        self._here: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def wait(self, login: str, place: str, now: float, *, known: bool) -> float:
        """Seconds for which a password of this login is not checked; 0: it may be checked now."""
        name = login.lower()[:_LONGEST]
        here, account = self._here.get((name, place)), self._accounts.get(name)
        own = 0.0 if here is None else here.wait(now)
        return own if known or account is None else max(own, account.wait(now))

    def begin(self, login: str, place: str, now: float, *, known: bool = False) -> None:
        """A password is checked now; it counts as wrong until `give_back`."""
        name = login.lower()[:_LONGEST]
        _taken(self._here, (name, place), HERE, SECONDS_HERE, now)
        if not known:
            _taken(self._accounts, name, ACCOUNT, SECONDS_ACCOUNT, now)

    def give_back(self, login: str, place: str, now: float, *, known: bool = False) -> None:
        """Undo one `begin`: the password was right, or was not checked."""
        name = login.lower()[:_LONGEST]
        for bucket in (self._here.get((name, place)), None if known else self._accounts.get(name)):
            if bucket is not None:
                bucket.give_back(now)

    def __len__(self) -> int:
        return len(self._accounts) + len(self._here)


def _taken(book: OrderedDict[_K, Bucket], key: _K, most: float, seconds: float, now: float) -> None:
    bucket = book.pop(key, None) or Bucket(most, seconds, now)
    bucket.take(now)
    book[key] = bucket
    while len(book) > MOST:
        book.popitem(last=False)
