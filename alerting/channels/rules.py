"""When a channel is dead, and when its incident opens and closes. Pure.

A channel that its provider refuses is dead at once: a repetition does not help. Refusals of single texts and missing
answers prove less, so several are needed, and missing answers must last. A channel that takes a message works.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.channels.model import ChannelState, DeadChannel, DeadReason, RevivalReason, SendNews

TEXTS_ENOUGH: Final = 3
"""Messages refused for their text, one after the other, that make a channel dead."""
FAILURES_ENOUGH: Final = 3
"""The fewest attempts without an answer that make a channel dead."""
FAILING_LONG: Final = timedelta(minutes=30)
"""The shortest time without an answer that makes a channel dead."""
MANY: Final = 5
"""From this number on, channels of one kind that are dead for one cause are one incident, which pages once."""
_BY_GATEWAY: Final = frozenset({"sms", "mail"})
"""The kinds that share a gateway, which may refuse them all."""
MOST_SAID: Final = 200
"""Characters of an answer that are kept."""


def state_after(state: ChannelState, news: SendNews, now: datetime, why: str = "") -> ChannelState:
    """The state of a channel after one attempt at `now`; `why`: the answer, without secrets.

    A dead channel stays dead, with its first reason, until it takes a message.
    """
    if news == SendNews.WORKS:
        return ChannelState()
    since = state.failing_since or now
    counted = msgspec.structs.replace(
        state,
        failing_since=since,
        failures=state.failures + (news == SendNews.FAILED),
        texts_refused=state.texts_refused + (news == SendNews.TEXT_REFUSED),
    )
    reason = None if state.dead_at is not None else _dead_reason(counted, news, now - since)
    if reason is None:
        return counted
    return msgspec.structs.replace(counted, dead_at=now, reason=reason, why=why[:MOST_SAID])


def _dead_reason(state: ChannelState, news: SendNews, lasted: timedelta) -> DeadReason | None:
    if news == SendNews.REFUSED:
        return DeadReason.REFUSED
    if state.texts_refused >= TEXTS_ENOUGH:
        return DeadReason.TEXTS_REFUSED
    if state.failures >= FAILURES_ENOUGH and lasted >= FAILING_LONG:
        return DeadReason.FAILS
    return None


class OpenDeadChannel(msgspec.Struct, frozen=True):
    """A channel is dead and has no incident."""

    channel: DeadChannel

    @property
    def key(self) -> str:
        """The key of its incident."""
        return self.channel.key


class CloseDeadChannel(msgspec.Struct, frozen=True):
    """The incident of `key` is over."""

    key: str
    reason: RevivalReason


def dead_channel_intents(
    dead: Mapping[str, DeadChannel], going_on: Collection[str]
) -> list[OpenDeadChannel | CloseDeadChannel]:
    """What to open and close. `dead`: the dead channels by the keys of their incidents; `going_on`: the keys of the
    incidents that go on."""
    gone = {key: reason for key, channel in dead.items() if (reason := _revival(channel)) is not None}
    left = {key: channel for key, channel in dead.items() if key not in gone}
    shared = _shared(left.values(), going_on)
    wanted = {**{key: channel for key, channel in left.items() if channel.shared_key not in shared}, **shared}
    closes = [
        CloseDeadChannel(key, gone.get(key, RevivalReason.WORKS))
        for key in going_on
        if key not in left and key not in shared
    ]
    return [*closes, *(OpenDeadChannel(channel) for key, channel in wanted.items() if key not in going_on)]


def _shared(channels: Iterable[DeadChannel], going_on: Collection[str]) -> dict[str, DeadChannel]:
    """The channels of one kind that are dead for one cause, such as a gateway that does not answer, as one; by the
    key of their incident, which goes on until none is left."""
    groups: dict[str, list[DeadChannel]] = {}
    for channel in channels:
        if channel.reason != DeadReason.REFUSED or channel.channel in _BY_GATEWAY:
            groups.setdefault(channel.shared_key, []).append(channel)
    return {key: _as_one(group) for key, group in groups.items() if len(group) >= MANY or key in going_on}


def _as_one(group: Sequence[DeadChannel]) -> DeadChannel:
    latest = max(group, key=lambda channel: channel.dead_at)
    return msgspec.structs.replace(
        latest,
        contact="",
        # With the empty contact it makes the key of the incident of all.
        fingerprint=f"{latest.channel}:{latest.reason}",
        area=None,
        failing_since=min(channel.failing_since for channel in group),
        contacts=len(group),
    )


def _revival(channel: DeadChannel) -> RevivalReason | None:
    if channel.retired:
        return RevivalReason.RETIRED
    return RevivalReason.REPLACED if channel.replaced else None
