"""What silence may be made, and when. Pure."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from contract.bounds import OutOfBoundsError, require_time
from contract.errors import RemedyError
from contract.glossary import WORDS
from contract.kinds import IncidentKind

MAX_REASON: Final = 500
"""Characters of a reason."""
LONGEST: Final = timedelta(days=30)
"""A silence ends at most so long after it is made: one that is forgotten hides faults."""


class NewSilence(msgspec.Struct, frozen=True, kw_only=True):
    """A silence as an account makes it: of a station, of an area, or of everything (`whole`). `from_at` None: now."""

    station: str | None = None
    area: str | None = None
    whole: bool = False
    kinds: tuple[str, ...] = ()
    from_at: datetime | None = None
    until_at: datetime
    reason: str
    made_by: str

    @property
    def named(self) -> str | None:
        """The station or area."""
        return self.station or self.area


def sound_silence(new: NewSilence, now: datetime) -> NewSilence:
    """The silence as it is written: it begins at `now` at the earliest, because nothing is silenced afterwards.

    Raises RemedyError for a silence of none or several of station, area and everything, of a kind that there is not,
    without a reason, that would be over already, or that would end more than LONGEST after `now`.
    """
    if sum((new.station is not None, new.area is not None, new.whole)) != 1:
        raise RemedyError(
            "a silence is of a station, of an area or of everything: name exactly one",
            "屏蔽针对一个服务点、一个区划或全部：请只选择其中一个",
        )
    _require_kinds(new.kinds)
    begin = max(new.from_at or now, now)
    _require_times(begin, new.until_at, now)
    if not new.reason.strip() or len(new.reason) > MAX_REASON:
        raise RemedyError(
            f"a silence needs a reason of up to {MAX_REASON} characters: give one", f"请填写原因，最多 {MAX_REASON} 字"
        )
    return msgspec.structs.replace(new, kinds=tuple(sorted(set(new.kinds))), from_at=begin)


def _require_kinds(kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        if kind not in set(IncidentKind):
            raise RemedyError(
                f"{kind[:40]!r} is not a kind of incident: use some of {', '.join(IncidentKind)}",
                f"“{kind[:40]}”不是故障类别：请使用{'、'.join(WORDS['kind'][one].zh for one in IncidentKind)}",
            )


def _require_times(begin: datetime, until: datetime, now: datetime) -> None:
    for name, at in (("from", begin), ("until", until)):
        try:
            require_time(at)
        except OutOfBoundsError as exc:
            raise RemedyError(f"{name}: {exc}", exc.said.zh) from exc
    if until <= begin:
        raise RemedyError(
            "a silence must end after now and after it begins: correct its times",
            "屏蔽的结束时间须晚于现在和开始时间：请改正时间",
        )
    if until > now + LONGEST:
        raise RemedyError(
            f"a silence ends at most {LONGEST.days} days from now: choose an earlier end and make another one then, "
            "or declare a closure",
            f"屏蔽最晚在 {LONGEST.days} 天内结束：请提前结束时间，到时再设一次；也可以申报闭馆",
        )
