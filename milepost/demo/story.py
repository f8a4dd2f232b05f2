"""Telling a story and proving it: a timetable of steps, each with its own expectation and time limit."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from contract.said import BilingualError

Say = Callable[[str], None]
W = TypeVar("W")


class Words(msgspec.Struct, frozen=True):
    """One text in both languages; names in braces are filled in."""

    en: str
    zh: str

    def fill(self, language: str, **values: object) -> str:
        """The text in `language` (zh-CN or en)."""
        return (self.zh if language == "zh-CN" else self.en).format(**values)


class Step(msgspec.Struct, Generic[W], frozen=True, kw_only=True):
    """One line of the timetable.

    `act` is done first. Then `see` is asked until it gives the facts for `told`; None means not yet, and a
    BrokenStepError that what it saw is wrong. `limit` is how many seconds it has, counted from the end of `act`.
    """

    name: str
    announced: Words | None = None
    told: Words
    limit: float
    act: Callable[[W], Awaitable[None]] | None = None
    see: Callable[[W], Awaitable[dict[str, object] | None]]


class BrokenStepError(BilingualError):
    """What was seen contradicts the story."""


_BEGUN = Words("       … {text}", "       … {text}")
_SEEN = Words("{at:6.1f} s ✔ {text}", "{at:6.1f} 秒 ✔ {text}")
_WHICH = Words("{name}: {what}", "第 {number} 步：{what}")
_LATE = Words("not seen within {limit:.0f} s", "{limit:.0f} 秒内没有看到")


async def tell(story: Sequence[Step[W]], world: W, *, language: str, say: Say, pause: float = 0.1) -> str | None:
    """Go through the story; None when every step was seen, else what is wrong with the first that was not."""
    began = time.monotonic()
    for number, step in enumerate(story, start=1):
        if step.announced is not None:
            say(_BEGUN.fill(language, text=step.announced.fill(language)))
        if step.act is not None:
            await step.act(world)
        try:
            facts = await _wait_for(step, world, pause)
        except BrokenStepError as exc:
            return _WHICH.fill(language, name=step.name, number=number, what=exc.said.text(language))
        if facts is None:
            late = _LATE.fill(language, limit=step.limit)
            return _WHICH.fill(language, name=step.name, number=number, what=late)
        text = step.told.fill(language, **facts)
        say(_SEEN.fill(language, at=time.monotonic() - began, text=text))
    return None


async def _wait_for(step: Step[W], world: W, pause: float) -> dict[str, object] | None:
    deadline = time.monotonic() + step.limit
    while True:
        facts = await step.see(world)
        if facts is not None:
            return facts
        if time.monotonic() >= deadline:
            return None
        await asyncio.sleep(pause)
