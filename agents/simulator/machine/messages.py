"""The messages of a simulated terminal, numbered as the contract wants or as its faults say. Pure."""

from collections.abc import Iterable, Iterator
from random import Random

import msgspec

from agents.simulator.machine.actions import Faults, TerminalProfile
from agents.simulator.machine.device import DeviceClock
from contract.clocks import MonotonicSeconds, WallMs
from contract.messages import Data, Health, Heartbeat, Status, TerminalStatus, Usage


class SimCounters(msgspec.Struct):
    """What a terminal counts: its boot and run, connections, numbers of messages, ids of records."""

    boot: str = ""
    run: int = 0
    conn: int = 0
    n: int = 0
    record: int = 0

    def next_record(self) -> int:
        """The id of a new record."""
        self.record += 1
        return self.record


class SimMessages:
    """Makes messages; `counters` may be replaced when the machine is set back to a snapshot."""

    def __init__(self, profile: TerminalProfile, clock: DeviceClock, faults: Faults, *, run: int) -> None:
        self._profile, self._clock, self._faults = profile, clock, faults
        self.counters = SimCounters(run=run)

    def begin_boot(self, boot: str) -> None:
        """A start: the next run, with the numbers from 0."""
        self.counters = SimCounters(boot=boot, run=self.counters.run + 1)

    def heartbeat(self, now: float, *, usable: bool, users: int) -> Heartbeat:
        """The next heartbeat."""
        counters = self.counters
        counters.n += 0 if self._faults.stuck else 1 + self._faults.skips
        return Heartbeat(
            v=1, boot=counters.boot, run=counters.run, conn=self._conn, n=counters.n, at=self._clock.wall(now),
            up=self.up(now), every=self._profile.every, usable=usable, users=users,
        )  # fmt: skip

    def invented(self, heartbeat: Heartbeat) -> Iterator[tuple[str, Heartbeat]]:
        """(terminal, heartbeat) of terminals that do not exist, with numbers left out."""
        for number in range(self._faults.invents):
            name = f"x{number}"
            boot = f"{heartbeat.boot[:8]}-{name}"
            yield name, msgspec.structs.replace(heartbeat, boot=boot, n=2 * heartbeat.n)

    def status(
        self, now: float, state: TerminalStatus, reason: str | None = None, back_in: float | None = None
    ) -> Status:
        """The next status; `back_in`: seconds until the terminal promises to be back."""
        self.counters.n += not self._faults.stuck
        return self._status(now, state, reason, back_in, self.counters.n)

    def last_will(self, now: float) -> Status:
        """The status that the broker publishes when the connection breaks; it has no number."""
        return self._status(now, "lost", None, None, None)

    def _status(
        self, now: float, state: TerminalStatus, reason: str | None, back_in: float | None, number: int | None
    ) -> Status:
        at = self._clock.wall(now)
        back_by = None if back_in is None else WallMs(at + round(back_in * 1000))
        return Status(
            v=1, boot=self.counters.boot, run=self.counters.run, conn=self._conn, n=number, state=state, at=at,
            reason=reason, back_by=back_by,
        )  # fmt: skip

    def data(self, now: float, box: str, bodies: Iterable[bytes]) -> Data:
        """A message of encoded records of one box."""
        records = [msgspec.Raw(body) for body in bodies]
        counters, at, up = self.counters, self._clock.wall(now), self.up(now)
        return Data(v=1, boot=counters.boot, run=counters.run, at=at, up=up, box=box, records=records)

    def health(self, now: float, random: Random) -> Health:
        """A health record as a small machine would measure it."""
        draw, up = random.random, self.up(now)
        return Health(
            id=self.counters.next_record(), at=self._clock.wall(now), up=up, cpu=round(draw() * 0.6, 3),
            mem=round(0.3 + draw() * 0.3, 3), disk=round(0.4 + draw() * 0.05, 3), temp=round(40 + draw() * 15, 1),
            rtt_ms=round(20 + draw() * 60, 1), rx=int(up * 900), tx=int(up * 120), wifi=True,
        )  # fmt: skip

    def usage(self, now: float, random: Random) -> Usage:
        """A usage record of the next `sample` seconds."""
        sessions, at = random.randrange(4), self._clock.wall(now)
        minutes = round(sessions * random.random() * 20, 1)
        until = WallMs(at + round(self._profile.sample * 1000))
        number = self.counters.next_record()
        return Usage(id=number, at=at, up=self.up(now), until=until, sessions=sessions, minutes=minutes)

    def up(self, now: float) -> MonotonicSeconds:
        """Seconds since the start by the device's clock, 0 before it."""
        return max(MonotonicSeconds(0.0), self._clock.up(now))

    @property
    def _conn(self) -> int | None:
        return None if self._faults.anonymous else self.counters.conn
