"""The demo's simulated stations: 40 stations of one prefecture, and the journal in which they write what they do."""

from typing import BinaryIO, Final

from agents.config import parse_broker
from agents.simulator import journal, roster
from agents.simulator.fleet import Fleet
from agents.simulator.lives import History, history
from milepost.files import raise_file_limit
from milepost.stack.stack import Stack

STATIONS: Final = 40
TERMINALS: Final = 3
EVERY: Final = 2.0
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the journal: a demo that is left running must not fill the disk."""


class DemoFleet:
    """The simulated stations of the demo; `start` comes first."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._path = stack.logs / "fleet.jsonl"
        self._file: BinaryIO | None = None
        self._fleet: Fleet | None = None

    async def start(self) -> None:
        """Import areas and stations, and switch all terminals on."""
        await self._stack.import_fleet()
        raise_file_limit(STATIONS * TERMINALS)
        profiles = roster.profiles(STATIONS, terminals=TERMINALS, every=EVERY, sample=5 * EVERY)
        self._file = self._path.open("wb")
        self._fleet = Fleet(profiles, parse_broker(str(self._stack.settings.mqtt_url)), write=self._write)
        self._fleet.start()

    def _write(self, entry: journal.Entry) -> None:
        if self._file is not None and self._file.tell() < MOST_BYTES:
            self._file.write(journal.line(entry))

    async def stop(self) -> None:
        """Switch all terminals off in good order, and close the journal."""
        if self._fleet is not None:
            await self._fleet.stop()
        self.close_journal()

    def do(self, station: str, deed: str, value: float | None = None, *, terminal: str | None = None) -> None:
        """Do a deed of `agents.simulator` to the terminals of all stations whose id begins with `station`."""
        assert self._fleet is not None  # noqa: S101  # the story begins with start
        self._fleet.do_deed_to(
            lambda who: who.station.startswith(station) and terminal in (None, who.terminal), deed, value
        )

    def read_journal(self) -> History:
        """What the terminals did until now."""
        assert self._file is not None  # noqa: S101  # the story begins with start
        self._file.flush()
        with self._path.open("rb") as file:
            return history(journal.read(file))

    def close_journal(self) -> None:
        """Write nothing more."""
        if self._file is not None:
            self._file.close()
        self._file = None
