"""What a tick changes: it moves the clock of a shard on, and terminals whose deadline passed are judged. Pure."""

from alerting.liveness.columns import NEVER, LiveState
from alerting.liveness.model import LivenessSettings, ShardGap
from alerting.liveness.pipeline_clock import MESSAGES_LOST
from alerting.liveness.rivals import Rivals
from alerting.liveness.roster import Roster
from alerting.liveness.shards import Shard, Shards
from alerting.liveness.silence import gap_since, is_proven, next_proof
from alerting.liveness.station_state import StateChanges
from alerting.liveness.succession import Succession
from contract.clocks import PipelineSeconds, WallMs
from contract.log import Tick
from store.troubles import Troubles


class Ticks:
    """Takes ticks in, and collects the gaps that they end. `row`: a terminal's; `shard`: the tick's."""

    def __init__(
        self,
        settings: LivenessSettings,
        roster: Roster,
        shards: Shards,
        changes: StateChanges,
        rivals: Rivals,
        succession: Succession,
        troubles: Troubles,
    ) -> None:
        self.gaps: list[ShardGap] = []
        self._settings = settings
        self._stations = roster.stations
        self._terminals = roster.terminals
        self._shards = shards
        self._changes = changes
        self._rivals = rivals
        self._succession = succession
        self._troubles = troubles

    def take_gaps(self) -> list[ShardGap]:
        """The gaps that ended since the last call."""
        taken, self.gaps = self.gaps, []
        return taken

    def take_tick(self, tick: Tick) -> None:
        """Take in a tick."""
        number = self._shards.number_of(tick.shard)
        shard = self._shards.by_number[number]
        doubt = MESSAGES_LOST if shard.clock.misses_messages(tick) else None
        advance = shard.clock.tick(tick, doubt)
        if advance is None:
            return
        self._settle_stamps(shard, advance.seconds)
        if not advance.counted:
            self._hold(number, shard)
            return
        if advance.gap is not None:
            self.gaps.append(ShardGap(shard.name, advance.gap))
        for row in self._terminals.due_rows(number, shard.clock.clock):
            self._expire_or_set_aside(row, shard)

    def _hold(self, number: int, shard: Shard) -> None:
        """An interval did not count: no terminal was heard later than the clock, which stands still, shows."""
        clock = shard.clock.clock
        self._changes.dirty.update(self._terminals.hold_stamps(number, clock))
        self._changes.dirty.update(self._rivals.promises.hold(shard.name, clock))

    def _settle_stamps(self, shard: Shard, seconds: float) -> None:
        """Messages of a bridge that had not ticked yet may be as young as this tick: move their stamps on."""
        for row in shard.unsettled:
            self._terminals.seen[row] += seconds
            self._terminals.deadline[row] += seconds
        self._changes.dirty.update(shard.unsettled)
        shard.unsettled.clear()
        self._changes.dirty.update(self._rivals.promises.settle(shard.name, seconds))

    def _expire_or_set_aside(self, row: int, shard: Shard) -> None:
        """A terminal that cannot be judged is unknown until it is heard again, and is named in the troubles; the tick
        goes on with the others."""
        try:
            self._expire(row, shard)
        except Exception as exc:  # whatever it is: it costs this terminal, and no other
            t = self._terminals
            t.deadline[row] = NEVER
            self._troubles.put("terminal", f"{self._stations.ids[t.station[row]]}/{t.ids[row]}", exc)
            self._changes.change(row, LiveState.UNPROVEN, shard.clock.tick_at, "unproven")

    def _expire(self, row: int, shard: Shard) -> None:
        """A deadline has passed: the terminal is offline, unless another boot of it lives, or gaps leave open whether
        the terminal is down."""
        if self._succession.lives_on(row, shard):
            return
        if self._is_down(row, shard):
            self._fall(row, shard)
        else:
            self._doubt(row, shard)

    def _is_down(self, row: int, shard: Shard) -> bool:
        """Whether it is proven that every boot of the terminal is down."""
        t, rival = self._terminals, self._rivals.last_rival(row)
        if rival is not None:
            behind = self._shards.by_number[self._shards.number_of(rival.shard)]
            if not self._is_proven(behind, rival.seen, rival.seen, rival.every):
                return False
        return self._is_proven(shard, PipelineSeconds(t.seen[row]), self._silent_since(row), t.every[row])

    def _is_proven(self, shard: Shard, seen: PipelineSeconds, since: PipelineSeconds, every: float) -> bool:
        """Whether a boot is down that was heard at `seen`, and whose heartbeats are missing from `since` on."""
        stretches, settings = shard.clock.stretches, self._settings
        if not gap_since(stretches, seen):
            return True
        return is_proven(stretches, since, every, floor=settings.floor, k=settings.k)

    def _silent_since(self, row: int) -> PipelineSeconds:
        """From when on heartbeats of the terminal are missing. A terminal that said goodbye owes none before
        its return is overdue."""
        t = self._terminals
        return PipelineSeconds(t.deadline[row] if t.state[row] == LiveState.AWAY else t.seen[row])

    def _missed_at(self, row: int, shard: Shard) -> WallMs:
        """When the first missing heartbeat of the terminal was due."""
        t = self._terminals
        due = t.deadline[row] if t.state[row] == LiveState.AWAY else t.seen[row] + t.every[row]
        return shard.clock.wall_of(PipelineSeconds(due))

    def _deadline_at(self, row: int, shard: Shard) -> WallMs:
        return shard.clock.wall_of(PipelineSeconds(self._terminals.deadline[row]))

    def _doubt(self, row: int, shard: Shard) -> None:
        """The silence of a terminal proves nothing yet: judge it again when it may."""
        t, settings = self._terminals, self._settings
        since, state, at = self._silent_since(row), LiveState(t.state[row]), self._missed_at(row, shard)
        deadline_at = self._deadline_at(row, shard)
        t.seen[row] = since  # an overdue return owes heartbeats since then, not since it said goodbye
        stretches = shard.clock.stretches
        t.deadline[row] = next_proof(stretches, since, t.every[row], floor=settings.floor, k=settings.k)
        self._changes.dirty.add(row)
        if state is not LiveState.UNPROVEN:
            self._changes.change(row, LiveState.UNPROVEN, at, "unproven", deadline_at)

    def _fall(self, row: int, shard: Shard) -> None:
        """The terminal is offline, since its first missing heartbeat was due."""
        t = self._terminals
        deadline_at = self._deadline_at(row, shard)
        if t.state[row] == LiveState.UNPROVEN:
            at, reason = deadline_at, "missed_heartbeats"
        else:
            at = self._missed_at(row, shard)
            away = t.state[row] == LiveState.AWAY
            reason = "away_overdue" if away else "last_will" if t.will[row] else "missed_heartbeats"
        self._changes.change(row, LiveState.OFFLINE, at, reason, deadline_at)
        t.deadline[row] = NEVER
