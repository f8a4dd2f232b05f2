"""The journal of a fleet: what was sent, acknowledged, and done to terminals; JSON, one entry a line. Pure.

`at` is milliseconds since the epoch by the clock of the simulator, which is right, unlike a terminal's.
"""

from collections.abc import Iterable, Iterator

import msgspec

Ranges = list[tuple[int, int]]
"""Closed ranges of record ids."""


class _JournalEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="what"):
    at: int


class _TerminalEntry(_JournalEntry, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of one terminal; `clone`: of a second machine with the same identity."""

    station: str
    terminal: str
    clone: bool = False


class FleetBegan(_JournalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="began"):
    """The first entry: what is needed to run the same fleet again."""

    seed: int
    stations: int
    terminals: int


class HeartbeatSent(_TerminalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="beat"):
    """A heartbeat was sent on a connection that was up; `usable` is None in journals of older versions."""

    boot: str
    run: int
    n: int
    every: float
    usable: bool | None = None


class StatusSent(_TerminalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="status"):
    """A status was sent; `back_at` is `back_by` by the right clock."""

    state: str
    back_at: int | None = None


class RecordMade(_TerminalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="made"):
    """A record was put into the outbox."""

    box: str
    id: int
    kind: str


class RecordsSent(_TerminalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="sent"):
    """A data message with these records was sent."""

    box: str
    ids: Ranges


class RecordsAcked(_TerminalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="acked"):
    """An ack named these records, and they were deleted."""

    box: str
    ids: Ranges


class LinkChanged(_TerminalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="link"):
    """The connection is up, or down because of `why`."""

    up: bool
    why: str = ""


class GarbageSent(_TerminalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="garbage"):
    """A message that breaks the contract was sent."""

    topic: str
    size: int


class DeedDone(_TerminalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="done"):
    """A deed of the timetable was done to a terminal."""

    deed: str
    option: str = ""


class FleetEnded(_JournalEntry, frozen=True, kw_only=True, omit_defaults=True, tag="ended"):
    """The last entry. Without it the simulator was killed."""


Entry = (
    FleetBegan
    | HeartbeatSent
    | StatusSent
    | RecordMade
    | RecordsSent
    | RecordsAcked
    | LinkChanged
    | GarbageSent
    | DeedDone
    | FleetEnded
)

_DECODER: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
_ENCODER = msgspec.json.Encoder()


class BrokenJournalError(Exception):
    """A line is not an entry; the message names it."""


def line(entry: Entry) -> bytes:
    """An entry as a line of the journal."""
    return _ENCODER.encode(entry) + b"\n"


def read(lines: Iterable[bytes]) -> Iterator[Entry]:
    """The entries of a journal; a last line that was cut short by a kill is left out. Raises BrokenJournalError."""
    for number, text in enumerate(lines, 1):
        if not text.endswith(b"\n"):
            return
        try:
            yield _DECODER.decode(text)
        except msgspec.DecodeError as exc:
            raise BrokenJournalError(f"line {number} of the journal is no entry ({exc})") from exc
