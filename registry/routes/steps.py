"""The text of the steps of a route: ``technician; lead@county after 30m open; head@city after 2h``. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from contract.said import SaidError
from registry.routes.model import USUAL_MOST, RouteStep, StepClock, duration_text
from registry.written import plain

MOST_STEPS: Final = 16
MOST_RECIPIENTS: Final = 100
LONGEST_DELAY: Final = 30 * 86_400.0

_STEP: Final = re.compile(
    r"(?P<role>[0-9a-z_-]{1,32})\s*(?:@\s*(?P<level>[a-z][a-z_]{0,31}))?"
    r"(?:\s+after\s+(?P<after>(?:\s*[0-9]{1,6}\s*[dhms])+)(?:\s+(?P<clock>open|wall))?)?"
    r"(?:\s+most\s+(?P<most>[0-9]{1,3}))?"
)
_PART: Final = re.compile(r"([0-9]+)\s*([dhms])")
_UNITS: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


def parse_steps(text: str) -> tuple[RouteStep, ...]:
    """The steps of a text, separated by semicolons. Raises SaidError, which names the step and the remedy."""
    parts = [part for part in (raw.strip() for raw in plain(text).split(";")) if part]
    if not parts:
        raise SaidError("has no step: name at least one role", "没有步骤：请至少写一个角色")
    if len(parts) > MOST_STEPS:
        raise SaidError(
            f"has {len(parts)} steps, allowed are {MOST_STEPS}: shorten the route",
            f"有 {len(parts)} 个步骤，最多 {MOST_STEPS} 个：请减少",
        )
    steps = tuple(_step(number, part) for number, part in enumerate(parts, 1))
    _require_order(steps)
    return steps


def steps_text(steps: Sequence[RouteStep]) -> str:
    """The steps in normal form, which `parse_steps` reads back."""
    return "; ".join(map(str, steps))


def _step(number: int, part: str) -> RouteStep:
    found = _STEP.fullmatch(part)
    if found is None:
        raise SaidError(
            f"step {number}, {_shown(part)!r}, cannot be read: write it like technician, lead@county after 30m open, "
            "or head@city after 2h most 3",
            f"第 {number} 步“{_shown(part)}”无法识别：请写成 technician、lead@county after 30m open 或 "
            "head@city after 2h most 3",
        )
    after = sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(found["after"] or ""))
    most = int(found["most"] or USUAL_MOST)
    if after > LONGEST_DELAY:
        raise SaidError(
            f"step {number} is due after more than 30 days: shorten its delay",
            f"第 {number} 步的延时超过 30 天：请缩短",
        )
    if not 1 <= most <= MOST_RECIPIENTS:
        raise SaidError(
            f"step {number} tells {most} people, allowed are 1 to {MOST_RECIPIENTS}",
            f"第 {number} 步最多通知 {most} 人，允许 1 至 {MOST_RECIPIENTS} 人",
        )
    clock = StepClock.OPEN if after and found["clock"] == "open" else StepClock.WALL
    return RouteStep(role=found["role"], level=found["level"], after=float(after), clock=clock, most=most)


def _require_order(steps: Sequence[RouteStep]) -> None:
    """A step is never due before the step above it by the same clock."""
    latest = dict.fromkeys(StepClock, 0.0)
    for number, step in enumerate(steps, 1):
        if step.after < latest[step.clock]:
            raise SaidError(
                f"step {number} is due after {duration_text(step.after)}, which is before the step above it: put the "
                "steps in the order in which they are due",
                f"第 {number} 步在 {duration_text(step.after)} 后，早于它前面的步骤：请按到期先后排列各步",
            )
        latest[step.clock] = step.after


def _shown(part: str) -> str:
    return part if len(part) <= 40 else part[:40] + "…"
