"""Announced restarts: an outage within one does not page, but its time counts as unknown like any other gap. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from contract.said import Said

LONGEST_RESTART: Final = timedelta(minutes=10)
"""Longest announced restart, and shortest time between two: announcements cannot silence the platform for long."""
_BEFORE: Final = timedelta(seconds=10)
"""An outage may begin this long before its announcement, because the last tick that counted is a little older."""


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `announced_restart`."""

    from_at: datetime
    until_at: datetime
    actor: str
    remark: str | None = None
    reason: str

    def covers(self, began_at: datetime, ended_at: datetime) -> bool:
        """Whether the restart explains an outage."""
        return self.from_at - _BEFORE <= began_at and ended_at <= self.until_at


def covering(announced: Sequence[Announced], began_at: datetime, ended_at: datetime) -> Announced | None:
    """The first announced restart that explains an outage; None: no restart does."""
    return next((one for one in announced if one.covers(began_at, ended_at)), None)


def refusal(last: Announced | None, now: datetime, length: timedelta, reason: str) -> Said | None:
    """Why a restart of `length` from `now` on cannot be announced after the `last` one; None: it can."""
    if not timedelta() < length <= LONGEST_RESTART:
        return Said("a restart takes more than 0 and at most 10 minutes", "重启时长须大于 0，最长 10 分钟")
    if not reason.strip():
        return Said("say why: the reason is empty", "请说明原因")
    if last is not None and now < last.until_at + LONGEST_RESTART:
        until, again = (f"{at:%H:%M:%S} UTC" for at in (last.until_at, last.until_at + LONGEST_RESTART))
        return Said(
            f"one was announced until {until}; the next may be from {again} on",
            f"已公告一次重启，至 {until} 为止；{again} 之后才能再次公告",
        )
    return None
