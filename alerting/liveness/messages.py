"""What heartbeats and statuses change: the deadline of a terminal, its current boot, its state. Pure."""

from typing import Final

from alerting.liveness.boot_order import OtherBoots, highest_run
from alerting.liveness.columns import ONLINE, UNKNOWN, UP, LiveState, conn_of
from alerting.liveness.model import LivenessSettings
from alerting.liveness.rivals import NUMBERS, OTHER_UNHEARD, TWO_BOOTS, Rivals, is_double
from alerting.liveness.roster import Roster
from alerting.liveness.shards import Shards
from alerting.liveness.station_state import StateChanges
from alerting.liveness.succession import OTHER_BOOT, Succession
from contract.clocks import PipelineSeconds
from contract.log import HeartbeatEntry, StatusEntry
from contract.messages import Status

LONGEST_AWAY: Final = 86_400.0
"""Seconds after which a terminal that said goodbye is overdue, whatever it announced."""


class Heartbeats:
    """Takes heartbeats in. `row`: the terminal's; `number`: the shard's; `stamp`: the message by the shard's clock."""

    def __init__(
        self,
        settings: LivenessSettings,
        roster: Roster,
        shards: Shards,
        changes: StateChanges,
        rivals: Rivals,
        succession: Succession,
    ) -> None:
        self._k = settings.k
        self._floor = settings.floor
        self._station_shards = roster.stations.shard
        self._terminals = roster.terminals
        self._shards, self._numbers, self._number_of = shards.by_number, shards.numbers, shards.number_of
        self._changes = changes
        self._dirty = changes.dirty
        self._rivals = rivals
        self._succession = succession

    def take_heartbeat(self, row: int, entry: HeartbeatEntry) -> None:
        """Take in a heartbeat of the terminal in `row`.

        Nearly all messages are heartbeats that change nothing but the deadline, and a judge takes 200,000 of them a
        second: so this stays one function, without calls that could be spared.
        """
        t, body = self._terminals, entry.body
        number = self._numbers.get(entry.shard)
        if number is None:
            number = self._number_of(entry.shard)
        shard = self._shards[number]
        stamp = shard.clock.stamp(entry.start, entry.mono)
        if t.boot.holds(row, body.boot):
            run, n = t.run[row], t.n[row]
            if body.run < run or (body.run == run and body.n <= n):
                self._take_repeat(row, number, stamp, entry)
                return
        elif not self._begins_boot(row, number, stamp, entry):
            return
        t.run[row] = body.run
        t.conn[row] = UNKNOWN if body.conn is None else body.conn
        t.n[row] = body.n
        t.every[row] = body.every
        t.seen[row] = stamp
        t.seen_at[row] = entry.received
        t.deadline[row] = stamp + self._k * body.every
        if t.shard[row] != number or self._station_shards[t.station[row]] != number:
            self._succession.move(row, number, entry.received)
        t.users[row] = -1 if body.users is None else body.users
        self._dirty.add(row)
        settled = shard.clock.has_ticked(entry.start)
        if shard.unsettled or not settled:
            shard.note_stamp(row, settled=settled)
        usable = -1 if body.usable is None else int(body.usable)
        if t.state[row] != ONLINE or t.usable[row] != usable or t.will[row]:
            self._judge_state(row, usable, stamp, entry)

    def _judge_state(self, row: int, usable: int, stamp: PipelineSeconds, entry: HeartbeatEntry) -> None:
        """The terminal was not plainly online before this heartbeat, or its usability changed: set its state."""
        t = self._terminals
        t.will[row] = 0
        t.usable[row] = usable
        conflict, why = self._rivals.conflict(row), "heartbeat"
        if conflict == TWO_BOOTS and self._rivals.is_unheard(row, (entry.shard, stamp)):
            conflict, why = None, OTHER_UNHEARD
        state = LiveState.ONLINE if conflict is None else LiveState.CONFLICTING
        reason = "usable" if t.state[row] == state else conflict or why
        self._changes.change(row, state, entry.received, reason)

    def _begins_boot(self, row: int, number: int, stamp: PipelineSeconds, entry: HeartbeatEntry) -> bool:
        """A heartbeat of another boot than the current one: whether that boot is the current one from now on."""
        if self._terminals.run[row] >= 0 and not self._is_believed(row, number, stamp, entry):
            return False
        self._terminals.boot[row] = entry.body.boot
        return True

    def _is_believed(self, row: int, number: int, stamp: PipelineSeconds, entry: HeartbeatEntry) -> bool:
        """Whether the boot of a heartbeat takes the place of the current boot; if so, the current one is remembered."""
        t, heard = self._terminals, self._succession.promise(number, stamp, entry)
        self._dirty.add(row)
        verdict = self._rivals.judge(row, t.run[row], heard)
        if verdict == "rival" and t.state[row] in UP:
            if self._stands_still(row, number, stamp):
                self._succession.exchange(row, heard.boot, number, stamp)
                return True
            if t.state[row] == LiveState.ONLINE:
                self._changes.change(row, LiveState.CONFLICTING, entry.received, TWO_BOOTS)
            return False
        if verdict not in ("believed", "rival"):
            return False
        self._succession.replace(row, heard.boot, number, stamp)
        return True

    def _stands_still(self, row: int, number: int, stamp: PipelineSeconds) -> bool:
        """Whether the shard of the current boot stood still while a rival was heard through shard `number`."""
        own, here = self._shards[self._terminals.shard[row]].name, (self._shards[number].name, stamp)
        return self._rivals.stood_still(row, own, here) >= self._floor

    def _take_repeat(self, row: int, number: int, stamp: PipelineSeconds, entry: HeartbeatEntry) -> None:
        """A heartbeat of the current boot whose number is not newer. Most are doubles, but several of them in their
        interval show that a machine lives."""
        t = self._terminals
        order = t.run[row], t.n[row]
        if t.shard[row] == number and is_double(entry.body, order, stamp - t.seen[row]):
            return
        self._dirty.add(row)
        heard = self._succession.promise(number, stamp, entry)
        alone = self._shards[number].clock.has_one_bridge
        if self._rivals.is_alive_by_repeats(row, heard, order, alone=alone):
            self._succession.succeed(row, heard, entry.received, NUMBERS)


class Statuses:
    """Takes statuses and Last Wills in. `row`: the terminal's; `number`: the shard's."""

    def __init__(
        self,
        settings: LivenessSettings,
        roster: Roster,
        shards: Shards,
        changes: StateChanges,
        rivals: Rivals,
        succession: Succession,
    ) -> None:
        self._grace = settings.will_grace
        self._terminals = roster.terminals
        self._shards = shards
        self._changes = changes
        self._rivals = rivals
        self._succession = succession

    def take_status(self, row: int, entry: StatusEntry) -> None:
        """Take in a status of the terminal in `row`."""
        body, number = entry.body, self._shards.number_of(entry.shard)
        is_current = self._terminals.boot.holds(row, body.boot)
        if body.state == "lost":
            self._take_will(row, number, entry)
        elif is_current and self._is_newer(row, entry):
            self._note_order(row, body)
            if body.state == "away":
                self._leave(row, number, entry)
        elif body.state == "away" and not is_current:
            self._other_boot_leaves(row, number, entry)

    def _is_newer(self, row: int, entry: StatusEntry) -> bool:
        """Whether a status is newer than the newest message of its boot. If the numbers of the boot cannot be trusted,
        every status counts as newer, except a retained one, which the broker sends with every subscription."""
        t, body = self._terminals, entry.body
        n = t.n[row] + 1 if body.n is None else body.n
        if (body.run, n) > (t.run[row], t.n[row]):
            return True
        return not entry.retain and self._rivals.conflict(row) == NUMBERS

    def _note_order(self, row: int, body: Status) -> None:
        t = self._terminals
        if body.n is not None:
            t.n[row] = body.n
        elif t.run[row] != body.run:
            t.n[row] = -1
        t.run[row], t.conn[row] = body.run, conn_of(body)
        self._changes.dirty.add(row)

    def _other_boot_leaves(self, row: int, number: int, entry: StatusEntry) -> None:
        """Another boot than the current one says goodbye: a newer start of the terminal, or a boot beside it."""
        t, body = self._terminals, entry.body
        memory = t.other_boots.read(row) or OtherBoots()
        if body.boot in memory.older or (memory.candidate is not None and memory.candidate.boot == body.boot):
            until = PipelineSeconds(self._stamp(number, entry) + _seconds_away(body))
            self._rivals.leave(row, body.boot, (body.run, body.n), (entry.shard, until))
            self._changes.dirty.add(row)
        elif body.run > highest_run(memory, t.run[row]):
            if t.run[row] >= 0:
                self._succession.replace(row, body.boot, number, self._stamp(number, entry))
            t.boot[row], t.run[row], t.conn[row] = body.boot, body.run, conn_of(body)
            t.n[row] = -1 if body.n is None else body.n
            self._changes.dirty.add(row)
            if not (entry.retain and t.state[row] == LiveState.NEVER_SEEN):
                self._leave(row, number, entry)

    def _stamp(self, number: int, entry: StatusEntry) -> PipelineSeconds:
        return self._shards.by_number[number].clock.stamp(entry.start, entry.mono)

    def _leave(self, row: int, number: int, entry: StatusEntry) -> None:
        """The current boot says goodbye: a living rival takes its place, else the terminal is away."""
        t, body = self._terminals, entry.body
        stamp = self._stamp(number, entry)
        rival = self._rivals.living(row)
        if rival is not None:
            self._succession.succeed(row, rival, entry.received, OTHER_BOOT)
            return
        self._succession.move(row, number, entry.received)
        # The goodbye is a sign of life: an interval that does not count holds it as it holds a heartbeat.
        t.seen[row], t.deadline[row] = stamp, stamp + _seconds_away(body)
        self._changes.change(row, LiveState.AWAY, entry.received, "away")

    def _take_will(self, row: int, number: int, entry: StatusEntry) -> None:
        """A Last Will of a boot's newest connection shortens the deadline of that boot; any other will is ignored."""
        t, body = self._terminals, entry.body
        stamp, connection = self._stamp(number, entry), (body.run, conn_of(body))
        if t.boot[row] != body.boot:
            if self._rivals.take_will(row, body.boot, connection, (entry.shard, stamp), self._grace):
                self._changes.dirty.add(row)
            return
        if connection != (t.run[row], t.conn[row]) or t.shard[row] != number or t.state[row] not in UP:
            return
        end = max(stamp + self._grace, t.seen[row] + t.every[row] + self._grace)
        t.will[row] = 1
        t.deadline[row] = min(t.deadline[row], end)
        self._changes.dirty.add(row)


def _seconds_away(body: Status) -> float:
    away = LONGEST_AWAY if body.back_by is None else (body.back_by - body.at) / 1000
    return min(max(away, 0.0), LONGEST_AWAY)
