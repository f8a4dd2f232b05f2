"""The messages that one start of the agent sends, with their boot, run, connection and number. Pure."""

from collections.abc import Iterable

import msgspec

from agents.presence import Moment
from contract.messages import Data, Heartbeat, Status, TerminalStatus


class OwnMessages:
    """Makes messages and counts them: `n` rises with each heartbeat and status, `conn` with each connection."""

    def __init__(self, boot: str, run: int) -> None:
        self.boot, self.run = boot, run
        self._conn = self._n = 0

    def begin_connection(self) -> None:
        """The messages from now on belong to the next connection."""
        self._conn += 1

    def undo_connection(self) -> None:
        """The broker never saw the connection that was begun last, so its number is free again."""
        self._conn -= 1

    def heartbeat(self, now: Moment, *, every: float, usable: bool | None) -> Heartbeat:
        """The next heartbeat; it promises another one in `every` seconds."""
        self._n += 1
        return Heartbeat(
            v=1,
            boot=self.boot,
            run=self.run,
            conn=self._conn,
            n=self._n,
            at=now.at,
            up=now.up,
            every=every,
            usable=usable,
        )

    def status(self, now: Moment, state: TerminalStatus, reason: str | None = None) -> Status:
        """The next status."""
        self._n += 1
        return self._status(now, state, reason, self._n)

    def last_will(self, now: Moment) -> Status:
        """The status that the broker publishes when the connection breaks. It has no number: it may never be sent."""
        return self._status(now, "lost", None, None)

    def _status(self, now: Moment, state: TerminalStatus, reason: str | None, number: int | None) -> Status:
        return Status(
            v=1,
            boot=self.boot,
            run=self.run,
            conn=self._conn,
            n=number,
            state=state,
            at=now.at,
            reason=reason,
        )

    def data(self, now: Moment, box: str, bodies: Iterable[bytes]) -> Data:
        """A message of records of one box, each body being an encoded record."""
        records = [msgspec.Raw(body) for body in bodies]
        return Data(v=1, boot=self.boot, run=self.run, at=now.at, up=now.up, box=box, records=records)
