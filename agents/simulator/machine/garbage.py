"""Messages that break the contract, one of each way. Pure."""

from random import Random
from typing import Final

from contract.messages import MAX_PAYLOAD

GARBAGE: Final[tuple[tuple[str, bytes], ...]] = (
    ("heartbeat", b""),
    ("heartbeat", b"\x00\xff\xfe"),
    ("heartbeat", b'{"v":1,"boot":"b'),
    ("heartbeat", b"[]"),
    ("heartbeat", b'{"v":7,"boot":"b","run":1,"n":1,"at":0,"every":60}'),
    ("heartbeat", b'{"v":1,"run":1,"n":1,"at":0,"every":60}'),
    ("heartbeat", b'{"v":1,"boot":"b","run":1,"n":-1,"at":0,"every":60}'),
    ("heartbeat", b'{"v":1,"boot":"b","run":1,"n":1,"at":0,"every":0}'),
    ("status", b'{"v":1,"boot":"b","run":1,"at":0,"state":"asleep"}'),
    ("data", b'{"v":1,"boot":"b","run":1,"at":0,"box":"g","records":7}'),
    ("data", b'{"v":1,"boot":"b","run":1,"at":0,"box":"g","records":[{"id":1,"kind":"horoscope","at":0}]}'),
    ("horoscope", b'{"v":1}'),
)
"""(channel, payload)"""
LARGE: Final = b'{"v":1,"boot":"' + b"b" * MAX_PAYLOAD + b'"}'


def garbage(random: Random) -> tuple[str, bytes]:
    """A channel and a payload that the bridge has to refuse."""
    choice = random.randrange(len(GARBAGE) + 1)
    return ("data", LARGE) if choice == len(GARBAGE) else GARBAGE[choice]
