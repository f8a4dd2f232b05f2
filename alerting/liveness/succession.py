"""Which boot of a terminal is the current one, how another takes its place, and which lives on when it ends. Pure."""

from typing import Final

from alerting.liveness.boot_order import Promise, replace_boot
from alerting.liveness.columns import UNKNOWN, LiveState, conn_of, flag
from alerting.liveness.model import LivenessSettings, ShardMove
from alerting.liveness.rivals import Rivals
from alerting.liveness.roster import Roster
from alerting.liveness.shards import Shard, Shards
from alerting.liveness.station_state import StateChanges
from contract.clocks import PipelineSeconds, WallMs
from contract.log import HeartbeatEntry

OTHER_BOOT: Final = "other_boot"
"""Why a terminal is online although its current boot ended."""


class Succession:
    """Moves terminals from one boot to another. `row`: a terminal's; `number`: of the shard that a message came by;
    `stamp`: the clock value of the message."""

    def __init__(
        self, settings: LivenessSettings, roster: Roster, shards: Shards, changes: StateChanges, rivals: Rivals
    ) -> None:
        self._settings = settings
        self._stations = roster.stations
        self._terminals = roster.terminals
        self._shards = shards
        self._changes = changes
        self._rivals = rivals

    def promise(self, number: int, stamp: PipelineSeconds, entry: HeartbeatEntry) -> Promise:
        """A heartbeat of a boot that is not, or not plainly, the current one."""
        body, shard = entry.body, self._shards.by_number[number]
        return Promise(
            boot=body.boot, run=body.run, n=body.n, conn=conn_of(body), every=body.every, seen=stamp,
            seen_at=entry.received, deadline=PipelineSeconds(stamp + self._settings.k * body.every),
            usable=flag(body.usable), shard=shard.name, unsettled=not shard.clock.has_ticked(entry.start),
        )  # fmt: skip

    def move(self, row: int, number: int, at: WallMs) -> None:
        """The terminal is heard since `at` through another shard than the one through which it, or its station, was
        heard last."""
        t, s, home = self._terminals, self._stations, self._terminals.station[row]
        if 0 <= t.shard[row] != number:
            before, after = self._shards.by_number[t.shard[row]], self._shards.by_number[number]
            before.unsettled.discard(row)
            self._shards.moves.append(
                ShardMove(station=s.ids[home], terminal=t.ids[row], before=before.name, after=after.name, at=at)
            )
        t.shard[row] = s.shard[home] = number
        if s.quorum[home] and s.since[home]:
            self._changes.dirty_stations.add(home)

    def replace(self, row: int, boot: str, number: int, stamp: PipelineSeconds) -> None:
        """Remember the current boot as an older one, because `boot` takes its place."""
        t = self._terminals
        shard = self._shards.by_number[t.shard[row] if t.shard[row] >= 0 else number]
        place = (shard.name, stamp if t.shard[row] == number else shard.clock.clock)
        replace_boot(t.other_boots.open(row), (t.boot[row], (t.run[row], t.n[row])), boot, place)

    def exchange(self, row: int, boot: str, number: int, stamp: PipelineSeconds) -> None:
        """A rival that is heard takes the place of a current boot whose shard stands still. Nothing shows whether that
        boot lives, so it keeps its promise, as the rival."""
        t, own = self._terminals, self._shards.by_number[self._terminals.shard[row]].name
        current = Promise(
            boot=t.boot[row], run=t.run[row], n=t.n[row], conn=t.conn[row], every=t.every[row],
            seen=PipelineSeconds(t.seen[row]), seen_at=WallMs(t.seen_at[row]),
            deadline=PipelineSeconds(t.deadline[row]), usable=t.usable[row], shard=own,
        )  # fmt: skip
        self.replace(row, boot, number, stamp)
        self._rivals.make_rival(row, current)

    def succeed(self, row: int, heard: Promise, at: WallMs, reason: str) -> None:
        """Make `heard` the terminal's newest heartbeat. The terminal is online, or away if the boot of `heard` said
        goodbye since."""
        t, number = self._terminals, self._shards.number_of(heard.shard)
        if t.boot[row] != heard.boot:
            self.replace(row, heard.boot, number, heard.seen)
            t.boot[row] = heard.boot
        t.run[row], t.n[row], t.conn[row], t.every[row] = heard.run, heard.n, heard.conn, heard.every
        t.seen[row], t.seen_at[row], t.deadline[row] = heard.seen, heard.seen_at, heard.deadline
        t.usable[row], t.users[row], t.will[row] = heard.usable, UNKNOWN, 0
        self.move(row, number, at)
        self._shards.by_number[number].note_stamp(row, settled=not heard.unsettled)
        conflict = self._rivals.conflict(row)
        state = LiveState.AWAY if heard.away else LiveState.ONLINE if conflict is None else LiveState.CONFLICTING
        self._changes.change(row, state, at, conflict or reason)

    def lives_on(self, row: int, shard: Shard) -> bool:
        """Whether the terminal lives by another boot, though the current one ended: a rival takes its place, and a boot
        that may be believed at its next heartbeat gets the time for that."""
        here = (shard.name, shard.clock.clock)
        self._rivals.forget_unheard(row, here)
        rival = self._rivals.living(row)
        if rival is not None:
            self.succeed(row, rival, shard.clock.tick_at, OTHER_BOOT)
            return True
        (left, behind), away = self._rivals.awaited(row), self._rivals.away(row)
        if left <= 0 and away is not None:
            self.succeed(row, away, shard.clock.tick_at, "away")
            return True
        if left > 0:
            if self._rivals.stood_still(row, behind, here) > 0:
                self._doubt(row, shard)
            self._terminals.deadline[row] = shard.clock.clock + left
            self._changes.dirty.add(row)
        return left > 0

    def _doubt(self, row: int, shard: Shard) -> None:
        """The current boot ended, and the clock of the other boot's shard stands still: whether that boot lives is
        unknown."""
        t, state = self._terminals, LiveState(self._terminals.state[row])
        if state is not LiveState.UNPROVEN:
            missed = shard.clock.wall_of(PipelineSeconds(t.seen[row] + t.every[row]))
            at = shard.clock.tick_at if state is LiveState.AWAY else missed
            self._changes.change(row, LiveState.UNPROVEN, at, "unproven")
