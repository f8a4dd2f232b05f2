"""Running a story and proving it: a timetable of steps, each with its own expectation and time limit."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from contract.said import BilingualError, Said

Say = Callable[[str], None]
W = TypeVar("W")


class StoryText(Said, frozen=True):
    """One text of the story in both languages; names in braces are filled in."""

    def fill(self, language: str, **values: object) -> str:
        """The text in `language` (zh-CN or en)."""
        return self.text(language).format(**values)


class StoryStep(msgspec.Struct, Generic[W], frozen=True, kw_only=True):
    """One line of the timetable.

    `act` is done first. Then `see` is called until it returns the facts for `text`; None means not yet, and it raises
    BrokenStepError for what contradicts the story. `limit`: seconds for that, counted from the end of `act`.
    """

    name: str
    announced: StoryText | None = None
    text: StoryText
    limit: float
    act: Callable[[W], Awaitable[None]] | None = None
    see: Callable[[W], Awaitable[dict[str, object] | None]]


class BrokenStepError(BilingualError):
    """What was seen contradicts the story."""


_BEGUN = StoryText("       … {text}", "       … {text}")
_SEEN = StoryText("{at:6.1f} s ✔ {text}", "{at:6.1f} 秒 ✔ {text}")
_WHICH = StoryText("{name}: {what}", "第 {number} 步：{what}")
_LATE = StoryText("not seen within {limit:.0f} s", "{limit:.0f} 秒内没有看到")


async def run_story(
    story: Sequence[StoryStep[W]], world: W, *, language: str, say: Say, pause: float = 0.1
) -> str | None:
    """Run the steps in order; None when every step was seen, else what is wrong with the first that was not."""
    began = time.monotonic()
    for number, step in enumerate(story, start=1):
        if step.announced is not None:
            say(_BEGUN.fill(language, text=step.announced.fill(language)))
        try:
            if step.act is not None:
                await step.act(world)
            facts = await _wait_for(step, world, pause)
        except BrokenStepError as exc:
            return _WHICH.fill(language, name=step.name, number=number, what=exc.said.text(language))
        if facts is None:
            late = _LATE.fill(language, limit=step.limit)
            return _WHICH.fill(language, name=step.name, number=number, what=late)
        text = step.text.fill(language, **facts)
        say(_SEEN.fill(language, at=time.monotonic() - began, text=text))
    return None


async def _wait_for(step: StoryStep[W], world: W, pause: float) -> dict[str, object] | None:
    deadline = time.monotonic() + step.limit
    while True:
        facts = await step.see(world)
        if facts is not None:
            return facts
        if time.monotonic() >= deadline:
            return None
        await asyncio.sleep(pause)
