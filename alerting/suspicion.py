"""When not the stations but the shard is to be doubted: it loses messages, or nearly all of it fell together. Pure.

A partition sees too little of a small shard. There the bridge's own count decides, which every tick carries, so that
what is judged still follows from the partition's log alone.
"""

from alerting.clock import MESSAGES_LOST, ClockSettings, ClockState, PipelineClock
from contract.log import Tick


def doubt(clock: PipelineClock, tick: Tick) -> str | None:
    """Why an interval that ends with this tick must not count although it is whole; None when it may."""
    if clock.state.suspected_at is not None:
        return "shard_suspected"
    return MESSAGES_LOST if clock.misses_messages(tick) else None


def suspect(settings: ClockSettings, clock: PipelineClock, tick: Tick, *, missed: int, online: int) -> bool:
    """Whether the shard is suspected, now that terminals are late.

    `missed` of this partition's `online` terminals missed a heartbeat. A person's trust holds until they no longer
    fall together.
    """
    state = clock.state
    present = tick.present if clock.has_one_bridge else None
    whole = present is not None and settings.is_mass(fallen=tick.overdue, all_=tick.overdue + present)
    if not whole and not settings.is_mass(fallen=missed, all_=online):
        state.trusted = False
    elif not state.trusted:
        state.suspected_at, state.suspects = clock.tick_at, missed
        state.fallen, state.left = (tick.overdue, present or 0) if whole else (0, 0)
    return state.suspected_at is not None


def end_suspicion(state: ClockState, tick: Tick, heard: int) -> None:
    """End it when half of those that fell are back; `heard` of this partition were since it began."""
    if state.fallen and tick.present is not None:
        back = 2 * (tick.present - state.left) >= state.fallen
    else:
        back = 2 * heard >= state.suspects
    if back:
        clear(state)


def clear(state: ClockState) -> None:
    """The shard is suspected no longer."""
    state.suspected_at, state.suspects, state.fallen, state.left = None, 0, 0, 0
