"""How many wrong tries of a token or a sign-in code are allowed. Pure; `now` in seconds.

A one-use code has 256 bits and cannot be guessed: wrong codes are bounded for all addresses together, and no address
has to wait for its own.

After too many wrong tries an address has to wait. An attacker cannot lock others out by that: a secret that was right
from an address before is always accepted from there, and the first try of an address is always checked, however many
addresses are wrong at the time. Behind a reverse proxy all clients share its address, so there only new secrets wait.
"""

import hashlib
import ipaddress
from collections import OrderedDict
from typing import Any, Final

EACH: Final = 10.0
"""Wrong tries that an address has at once; one comes back in SECONDS_EACH."""
SECONDS_EACH: Final = 6.0
ALL: Final = 200.0
"""The same of all addresses that were wrong lately, together."""
SECONDS_ALL: Final = 0.5
CODES: Final = 500.0
"""Wrong one-use codes at once, from all addresses together; they only cost the database some work."""
SECONDS_CODES: Final = 0.02
MOST: Final = 4096
"""Maximum number of addresses, and of pairs of an address and a right secret, that are kept; the oldest are dropped."""


class Bucket:
    """A number of tries that refills with time (a token bucket)."""

    __slots__ = ("_at", "_left", "_most", "_seconds")

    def __init__(self, most: float, seconds: float, now: float) -> None:
        self._most, self._seconds, self._left, self._at = most, seconds, most, now

    def left(self, now: float) -> float:
        """How many tries are left."""
        self._left = min(self._most, self._left + max(0.0, now - self._at) / self._seconds)
        self._at = now
        return self._left

    def take(self, now: float) -> None:
        """Use one try up."""
        self._left = max(0.0, self.left(now) - 1)

    def give_back(self, now: float) -> None:
        """Undo one `take`."""
        self._left = min(self._most, self.left(now) + 1)

    def wait(self, now: float) -> float:
        """Seconds until a try is left."""
        return max(0.0, 1 - self.left(now)) * self._seconds


class Guesses:
    """Wrong tries by address, and secrets that were right."""

    def __init__(self, now: float) -> None:
        self.codes = Bucket(CODES, SECONDS_CODES, now)
        """Wrong one-use codes of all addresses."""
        self._all = Bucket(ALL, SECONDS_ALL, now)
        self._wrong: OrderedDict[str, Bucket] = OrderedDict()
        self._right: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def wait(self, address: str, given: bytes, now: float) -> float:
        """Seconds for which a secret from this address is not checked; 0: it may be checked now."""
        who = network_of(address)
        own = self._wrong.get(who)
        if own is None or (who, _digest(given)) in self._right:
            return 0.0
        return max(own.wait(now), 0.0 if own.left(now) >= EACH else self._all.wait(now))

    def was_wrong(self, address: str, now: float) -> None:
        """Record a wrong try of an address."""
        who = network_of(address)
        own = self._wrong.pop(who, None) or Bucket(EACH, SECONDS_EACH, now)
        own.take(now)
        self._all.take(now)
        self._wrong[who] = own
        _forget_oldest(self._wrong)

    def give_back(self, address: str, now: float) -> None:
        """Undo one `was_wrong`: the try that counted as wrong while it was checked was right."""
        self._all.give_back(now)
        own = self._wrong.get(network_of(address))
        if own is not None:
            own.give_back(now)

    def was_right(self, address: str, given: bytes) -> None:
        """Record a right try: this secret is accepted from this address without waiting."""
        pair = network_of(address), _digest(given)
        self._right[pair] = None
        self._right.move_to_end(pair)
        _forget_oldest(self._right)


def _digest(given: bytes) -> bytes:
    return hashlib.sha256(given).digest()


def _forget_oldest(book: OrderedDict[Any, Any]) -> None:
    while len(book) > MOST:
        book.popitem(last=False)


def network_of(address: str) -> str:
    """The address, or of IPv6 the network of 64 bits, of which one household has 2^64."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)
