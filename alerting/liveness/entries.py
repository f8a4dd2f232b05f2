"""Reading milepost.live: an entry that a bridge may have written, or why a record is none. Pure.

Kafka accepts anything from a client that may write to the topic. The checks of the bridge are not repeated here, but
the envelope's times, names and numbers must be such that they can be used and stored. The decoder checks what
`contract.log` says of them, and this module the rest.
"""

from functools import lru_cache
from typing import Final

import msgspec

from contract.entries import LogRecord
from contract.log import LiveEntry, Tick
from contract.topics import is_station_id, is_terminal_id

_DECODER: Final[msgspec.json.Decoder[LiveEntry]] = msgspec.json.Decoder(LiveEntry)
_NUL: Final = b"\\u0000"
_BACKSLASH: Final = ord("\\")
_LONGEST_STATION: Final = 32


class NotAnEntryError(ValueError):
    """The record of the log is not one that a bridge writes."""


def read_live(record: LogRecord) -> tuple[str, LiveEntry]:
    """The station ("" for a tick) and the entry. Raises NotAnEntryError with the reason."""
    value = record.value or b""
    # The search for one byte is several times as fast, and hardly any entry has it.
    if _BACKSLASH in value and _NUL in value:
        raise NotAnEntryError("it has the character U+0000")
    try:
        entry = _DECODER.decode(value)
    except (msgspec.DecodeError, RecursionError, ValueError) as exc:
        raise NotAnEntryError(str(exc)[:200]) from exc
    if isinstance(entry, Tick):
        return "", entry
    if not _is_terminal(entry.terminal):
        raise NotAnEntryError("its terminal cannot be")
    key = record.key or b""
    # Nearly all keys are letters and digits, which is the quick test.
    if not (len(key) <= _LONGEST_STATION and key.isalnum()) and not is_station_id(key.decode("ascii", "replace")):
        raise NotAnEntryError("its key is no station")
    return key.decode(), entry


_is_terminal = lru_cache(maxsize=10_000)(is_terminal_id)
