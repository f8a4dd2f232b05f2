"""Reading milepost.live: an entry that a bridge may have written, or why it is none. Pure.

Kafka takes anything from who may write to the topic. What the bridge checks of a message is not checked again, but
that the envelope's times, names and numbers can be reckoned with and stored.
"""

from functools import lru_cache
from typing import Final

import msgspec

from contract.log import LiveEntry, Tick
from contract.topics import is_station_id, is_terminal_id
from ingest.entries import PLAUSIBLE, LogRecord

_DECODER: Final[msgspec.json.Decoder[LiveEntry]] = msgspec.json.Decoder(LiveEntry)
_NUL: Final = b"\\u0000"
_LONGEST_NAME: Final = 256
_COUNTS: Final = ("seq", "kept", "missed")
_LONGEST_STATION: Final = 32
_MOST: Final = 2**53
"""Numbers of a bridge beyond that are none it counted."""


class NotAnEntryError(ValueError):
    """The record of the log is nothing that a bridge writes."""


def read_live(record: LogRecord) -> tuple[str, LiveEntry]:
    """The station ("" for a tick) and the entry. Raises NotAnEntryError that says what is wrong."""
    value = record.value or b""
    if _NUL in value:
        raise NotAnEntryError("it has the character U+0000")
    try:
        entry = _DECODER.decode(value)
    except (msgspec.DecodeError, RecursionError, ValueError) as exc:
        raise NotAnEntryError(str(exc)[:200]) from exc
    if isinstance(entry, Tick):
        _check_tick(entry)
        return "", entry
    if not _can_be(entry.received, entry.mono) or not _is_name(entry.shard) or not _is_name(entry.start):
        raise NotAnEntryError("its shard, start or receive time cannot be")
    if not _is_terminal(entry.terminal):
        raise NotAnEntryError("its terminal cannot be")
    key = record.key or b""
    if not _is_station(key):
        raise NotAnEntryError("its key is no station")
    return key.decode(), entry


def _check_tick(tick: Tick) -> None:
    names = (tick.shard, tick.bridge, tick.start, *(tick.named or ()))
    numbers = [value for name in _COUNTS if (value := getattr(tick, name)) is not None]
    if not _can_be(tick.at, tick.mono) or not all(map(_is_name, names)):
        raise NotAnEntryError("its bridge, shard, start or time cannot be")
    if not all(0 <= number <= _MOST for number in numbers):
        raise NotAnEntryError("its numbers cannot be")


def _can_be(at: int, mono: int) -> bool:
    return PLAUSIBLE[0] <= at <= PLAUSIBLE[1] and -_MOST <= mono <= _MOST


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_NAME


_is_terminal = lru_cache(maxsize=10_000)(is_terminal_id)


def _is_station(key: bytes) -> bool:
    """Nearly all are letters and digits, which is seen at once."""
    return (len(key) <= _LONGEST_STATION and key.isalnum()) or is_station_id(key.decode("ascii", "replace"))
