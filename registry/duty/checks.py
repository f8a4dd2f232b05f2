"""What a duty and a substitute must be before they are stored. Pure."""

from typing import Final

import msgspec

from contract.bounds import require_day, require_time
from contract.said import Said, SaidError
from registry.contacts.rules import require_role
from registry.duty.model import Duty, Substitute
from registry.duty.written_times import normal_times

MOST_WEEKS: Final = 53
MOST_REASON: Final = 500


def sound_duty(duty: Duty) -> Duty:
    """The duty with its times in normal form. Raises SaidError (ScheduleError for its times) with the remedy."""
    require_role(duty.role)
    _raise(rotation_fault(duty))
    for day in (duty.valid_from, duty.valid_to):
        if day is not None:
            require_day(day)
    return msgspec.structs.replace(duty, times=normal_times(duty.times))


def rotation_fault(duty: Duty) -> tuple[str, Said] | None:
    """The field and the problem of a rotation or of dates that mean nothing."""
    if not 1 <= duty.weeks <= MOST_WEEKS:
        return "weeks", Said(
            f"a rotation of {duty.weeks} weeks: use 1 to {MOST_WEEKS}", f"轮换周数 {duty.weeks}：请用 1 至 {MOST_WEEKS}"
        )
    if not 1 <= duty.week <= duty.weeks:
        return "week", Said(
            f"week {duty.week} of a rotation of {duty.weeks}: count from 1 to {duty.weeks}",
            f"轮换共 {duty.weeks} 周，没有第 {duty.week} 周：请用 1 至 {duty.weeks}",
        )
    if duty.weeks > 1 and duty.valid_from is None:
        return "valid_from", Said(
            "a rotation has no first day: give valid_from, its first week is counted from there",
            "轮换缺少生效日期：请填写，第一周由该日所在的周算起",
        )
    if duty.valid_from is not None and duty.valid_to is not None and duty.valid_to < duty.valid_from:
        return "valid_to", Said(
            f"{duty.valid_to} is before valid_from {duty.valid_from}: exchange them",
            f"{duty.valid_to} 早于生效日期 {duty.valid_from}：请对调",
        )
    return None


def require_substitute(absence: Substitute) -> None:
    """Raises SaidError for a substitute that cannot be."""
    require_time(absence.from_at)
    require_time(absence.until_at)
    _raise(substitute_fault(absence))


def substitute_fault(absence: Substitute) -> tuple[str, Said] | None:
    """The field and the problem of a substitute that cannot be."""
    if absence.contact == absence.substitute:
        return "substitute", Said("a contact is its own substitute: name another one", "代班人是本人：请填写另一人")
    if absence.until_at <= absence.from_at:
        return "until_at", Said(
            "it ends before it begins: correct one of the times", "结束不晚于开始：请改正其中一个时间"
        )
    if absence.reason is not None and len(absence.reason) > MOST_REASON:
        return "reason", Said(
            f"the reason has {len(absence.reason)} characters, allowed are {MOST_REASON}: shorten it",
            f"原因有 {len(absence.reason)} 个字，最多 {MOST_REASON} 个：请缩短",
        )
    return None


def _raise(fault: tuple[str, Said] | None) -> None:
    if fault is not None:
        raise SaidError(fault[1].en, fault[1].zh)
