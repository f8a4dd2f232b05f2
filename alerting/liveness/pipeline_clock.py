"""The pipeline clock of one (partition, shard): time moves only when the pipeline does. Pure.

The clock adds up the intervals between ticks that count: whole, and not longer than `longest`. It follows one bridge;
when that bridge has been silent for `longest` while another went on, the clock follows the other.

A *stretch* is an unbroken run of counted intervals; any uncounted interval, however short, ends it. Heartbeats may be
lost in the gaps between stretches, so only silence within stretches proves that a terminal is down: see
`alerting.liveness.silence`.

A *start* is one run of a bridge's process.
"""

from typing import Final

import msgspec

from alerting.liveness.silence import Stretches
from contract.clocks import MonotonicMs, PipelineSeconds, WallMs
from contract.log import Tick

MESSAGES_LOST: Final = "messages_lost"
"""Why an interval does not count although messages went on arriving: too many of them are missing."""
_KEPT_SEGMENTS: Final = 64
_KEPT_STRETCHES: Final = 64
_KEPT_STARTS: Final = 32
"""A tick of a start that is forgotten, which comes again, looks like a new start: more than a bridge that crashes again
and again makes within the minutes in which a producer may repeat a tick."""
_STEP_MS: Final = 1000


class ClockSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`longest`: seconds between two ticks above which the interval does not count."""

    longest: float = 5.0


class Gap(msgspec.Struct, frozen=True):
    """Unknown time: from the last tick that counted to the first tick of the next interval that counts."""

    began_at: WallMs
    ended_at: WallMs
    reason: str


class Advance(msgspec.Struct, frozen=True):
    """What a tick did: whether its interval counted, the seconds added to the clock, and the gap that it ended."""

    counted: bool
    seconds: float = 0.0
    gap: Gap | None = None


class _BridgeStart(msgspec.Struct):
    """One run of a bridge's process, by its newest tick."""

    bridge: str
    seq: int
    mono: MonotonicMs
    at: WallMs
    #: Its newest tick before, and its first tick after, the last tick of the bridge that the clock follows.
    mono_before: MonotonicMs
    mono_after: MonotonicMs | None = None
    #: Whether all its intervals since the last tick of the followed bridge count.
    unbroken: bool = True
    #: Its newest tick said that so many stations miss messages that its interval does not count.
    losses: bool = False


class ClockState(msgspec.Struct, kw_only=True):
    """The state of a clock, which is stored and read again at a restart."""

    clock: PipelineSeconds = PipelineSeconds(0.0)
    #: The start that the clock follows.
    followed: str | None = None
    starts: dict[str, _BridgeStart] = {}
    #: (clock, wall time) at each point where the difference between the two changed.
    segments: list[tuple[PipelineSeconds, WallMs]] = []
    #: Since when no interval counted, and why the first did not; None: the last interval counted.
    blind_since: WallMs | None = None
    blind_reason: str = ""
    #: When the present stretch began; -1: no interval was uncounted yet.
    stretch_from: PipelineSeconds = PipelineSeconds(-1.0)
    #: (begin, end) of earlier stretches in which at least half of the shard's stations kept their promises.
    stretches: list[tuple[PipelineSeconds, PipelineSeconds]] = []
    #: Whether at least half of them keep theirs in the present stretch, as the newest counted tick says.
    half_kept: bool = True
    #: Stations that number their messages wrongly, as the bridge named them last.
    named: tuple[str, ...] = ()


class PipelineClock:
    """Advances by ticks, stamps messages, and gives the wall time of a clock value."""

    def __init__(self, settings: ClockSettings, state: ClockState | None = None) -> None:
        self._longest_ms = settings.longest * 1000
        self.state = state or ClockState()

    @property
    def clock(self) -> PipelineSeconds:
        """The value at the last tick that counted."""
        return self.state.clock

    @property
    def tick_at(self) -> WallMs:
        """When the followed bridge ticked last; 0 before the first tick."""
        followed = self.state.starts.get(self.state.followed or "")
        return followed.at if followed else WallMs(0)

    @property
    def stretches(self) -> Stretches:
        """The stretches by which silence in this shard can be proven now."""
        state = self.state
        return Stretches(state.stretches, state.stretch_from, state.clock, state.half_kept)

    def stamp(self, start: str, mono: MonotonicMs) -> PipelineSeconds:
        """The clock value of a message: never too early, so that no deadline comes early.

        For a start that has not ticked yet it is the clock at the last tick; see `has_ticked`.
        """
        known = self.state.starts.get(start)
        if known is None:
            return self.state.clock
        since = mono - (known.mono if start == self.state.followed else known.mono_before)
        # Not wrapped in its type: every heartbeat comes by here, and that would be one more call.
        return self.state.clock + min(max(since, 0), self._longest_ms) / 1000  # type: ignore[return-value]

    def has_ticked(self, start: str) -> bool:
        """Whether a start has ticked. If not, the next advance has to be added to the stamps of its messages."""
        return start in self.state.starts

    @property
    def has_one_bridge(self) -> bool:
        """Whether the shard has no other bridge than the followed one, as far as ticks show."""
        followed = self.state.starts.get(self.state.followed or "")
        others = (start for start in self.state.starts.values() if followed and start.bridge != followed.bridge)
        return all(followed is not None and followed.at - other.at > 2 * self._longest_ms for other in others)

    def misses_messages(self, tick: Tick) -> bool:
        """Whether messages are missing that no other bridge of the shard received either."""
        others = (start for start in self.state.starts.values() if start.bridge != tick.bridge)
        return tick.losses and all(one.losses for one in others if tick.at - one.at <= 2 * self._longest_ms)

    def wall_of(self, clock: PipelineSeconds) -> WallMs:
        """When the clock showed this value; for values that it has not reached yet, when it will at the earliest."""
        segments = self.state.segments
        for began, wall in reversed(segments):
            if clock >= began:
                return WallMs(wall + round((clock - began) * 1000))
        began, wall = segments[0] if segments else (PipelineSeconds(0.0), WallMs(0))
        return WallMs(wall + round((clock - began) * 1000))

    def tick(self, tick: Tick, doubt: str | None) -> Advance | None:
        """Take a tick in. `doubt`: why the interval must not count although it is whole; None: nothing is known
        against it.

        Returns None for a tick that changes nothing: a double, or a tick of a bridge that is not followed.
        """
        state = self.state
        known = state.starts.get(tick.start)
        if known is not None and tick.seq <= known.seq:
            return None
        if tick.named is not None:
            state.named = tick.named
        if state.followed is None:
            self._follow(tick, known)
            state.segments = [(state.clock, tick.at)]
            state.stretch_from = state.clock
            return Advance(counted=False)
        if tick.start == state.followed and known is not None:
            reason = self._why_not(tick, known) or doubt
            return self._move(tick, known, (tick.mono - known.mono) / 1000, known.at, reason)
        return self._other(tick, known, doubt)

    def _why_not(self, tick: Tick, last: _BridgeStart) -> str | None:
        """Why the interval since this start's last tick does not count; None: it counts."""
        if not tick.whole:
            return "not_whole"
        if tick.seq != last.seq + 1:
            return "tick_lost"
        if tick.mono - last.mono > self._longest_ms:
            return "too_long"
        return None

    def _other(self, tick: Tick, known: _BridgeStart | None, doubt: str | None) -> Advance | None:
        """A tick of a start that is not followed: note it, or follow it when the followed start is gone."""
        state = self.state
        followed = state.starts[state.followed or ""]
        if known is None:
            if tick.bridge == followed.bridge:
                return self._switch(tick, None, "bridge_restarted")
            self._note(tick, None)
            return None
        if self._why_not(tick, known):
            known.unbroken = False
        self._note(tick, known)
        if tick.mono - known.mono_before <= self._longest_ms:
            return None
        return self._switch(tick, known, doubt if known.unbroken else "bridge_changed")

    def _note(self, tick: Tick, known: _BridgeStart | None) -> None:
        if known is None:
            self.state.starts[tick.start] = _BridgeStart(
                bridge=tick.bridge, seq=tick.seq, mono=tick.mono, at=tick.at, mono_before=tick.mono, losses=tick.losses
            )
            self._forget_old_starts()
            return
        known.seq, known.mono, known.at, known.losses = tick.seq, tick.mono, tick.at, tick.losses
        if known.mono_after is None:
            known.mono_after = tick.mono

    def _switch(self, tick: Tick, known: _BridgeStart | None, reason: str | None) -> Advance:
        """Follow another start. If all its own intervals counted meanwhile, their sum is added to the clock."""
        last_at = self.state.starts[self.state.followed or ""].at
        seconds = 0.0
        if known is not None and known.mono_after is not None:
            seconds = (tick.mono - known.mono_after) / 1000
        return self._move(tick, known, seconds, last_at, reason)

    def _move(
        self, tick: Tick, known: _BridgeStart | None, seconds: float, last_at: WallMs, reason: str | None
    ) -> Advance:
        self._follow(tick, known)
        if reason is not None:
            return self._stand_still(tick, last_at, reason)
        state = self.state
        gap = None
        if state.blind_since is not None:
            gap = Gap(state.blind_since, max(last_at, state.blind_since), state.blind_reason)
            state.blind_since, state.blind_reason = None, ""
        state.clock = PipelineSeconds(state.clock + seconds)
        state.half_kept = tick.kept is None or tick.kept >= tick.missed
        if abs(tick.at - self.wall_of(state.clock)) > _STEP_MS:
            self._begin_segment(tick.at)
        return Advance(counted=True, seconds=seconds, gap=gap)

    def _stand_still(self, tick: Tick, last_at: WallMs, reason: str) -> Advance:
        state = self.state
        if state.blind_since is None:
            state.blind_since, state.blind_reason = last_at, reason
        self._end_stretch()
        self._begin_segment(tick.at)
        return Advance(counted=False)

    def _end_stretch(self) -> None:
        """End the present stretch. A stretch in which fewer than half of the stations kept their promises proves
        nothing, so it is not kept."""
        state = self.state
        if state.half_kept and state.clock > state.stretch_from:
            state.stretches.append((max(state.stretch_from, PipelineSeconds(0.0)), state.clock))
            del state.stretches[:-_KEPT_STRETCHES]
        state.stretch_from = state.clock

    def _begin_segment(self, wall: WallMs) -> None:
        segments = self.state.segments
        if segments and segments[-1][0] == self.state.clock:
            segments.pop()
        segments.append((self.state.clock, wall))
        del segments[:-_KEPT_SEGMENTS]

    def _follow(self, tick: Tick, known: _BridgeStart | None) -> None:
        state = self.state
        state.followed = tick.start
        self._note(tick, known)
        for start in state.starts.values():
            start.mono_before, start.mono_after, start.unbroken = start.mono, None, True

    def _forget_old_starts(self) -> None:
        """Keep the followed start and the latest few of the others."""
        starts = self.state.starts
        while len(starts) > _KEPT_STARTS:
            del starts[min((s for s in starts if s != self.state.followed), key=lambda s: starts[s].at)]
