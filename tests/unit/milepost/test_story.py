import re
from typing import Any

import pytest

from milepost.demo.story import BrokenStepError, StoryStep, StoryText, run_story
from milepost.demo.timetable import DEADLINE, EARLY, LATE, OUTAGE, PAST, STORY


class Clock:
    """A world in which each look counts."""

    def __init__(self) -> None:
        self.looks = 0
        self.acts: list[str] = []

    async def third(self) -> dict[str, object] | None:
        self.looks += 1
        return {"looks": self.looks} if self.looks >= 3 else None

    async def never(self) -> dict[str, object] | None:
        return None

    async def wrong(self) -> Any:
        raise BrokenStepError("it is upside down", "上下颠倒")

    async def act(self) -> None:
        self.acts.append("done")


def step(name: str, *, limit: float = 5.0, act: bool = False) -> StoryStep[Clock]:
    see = {"third": Clock.third, "never": Clock.never, "wrong": Clock.wrong}[name]
    text = StoryText("seen at look {looks}", "第 {looks} 眼看到")
    return StoryStep(name=name, text=text, limit=limit, act=Clock.act if act else None, see=see)


async def test_a_step_is_waited_for_and_told() -> None:
    world, said = Clock(), list[str]()
    assert await run_story([step("third", act=True)], world, language="en", say=said.append, pause=0) is None
    assert world.acts == ["done"]
    assert [line.partition("✔ ")[2] for line in said] == ["seen at look 3"]


async def test_it_is_told_in_chinese() -> None:
    said = list[str]()
    await run_story([step("third")], Clock(), language="zh-CN", say=said.append, pause=0)
    assert said[0].endswith("第 3 眼看到")


@pytest.mark.parametrize(
    ("name", "limit", "outcome"),
    [("never", 0.0, "never: not seen within 0 s"), ("wrong", 5.0, "wrong: it is upside down")],
)
async def test_the_first_step_that_fails_ends_the_story(name: str, limit: float, outcome: str) -> None:
    world = Clock()
    story = [step(name, limit=limit), step("third", act=True)]
    assert await run_story(story, world, language="en", say=lambda _: None, pause=0) == outcome
    assert world.acts == []


async def test_an_act_that_cannot_be_done_ends_the_story() -> None:
    first = StoryStep(name="act", text=StoryText("seen", "看到"), limit=5.0, act=Clock.wrong, see=Clock.third)
    world = Clock()
    assert await run_story([first], world, language="en", say=lambda _: None, pause=0) == "act: it is upside down"
    assert world.looks == 0


def test_the_demo_names_each_step_once_and_in_both_languages() -> None:
    steps = (*STORY, *PAST)
    assert len({step.name for step in steps}) == len(steps)
    for one in steps:
        for words in (one.text, *([one.announced] if one.announced else [])):
            assert words.en
            assert any(ord(char) > 0x2E80 for char in words.zh)


def test_the_demo_expects_offline_between_its_own_bounds() -> None:
    assert DEADLINE == 6.0
    assert EARLY < 1.0
    assert OUTAGE >= 30.0
    assert LATE <= 3.0


def test_every_step_is_told_in_both_languages_with_the_same_facts() -> None:
    for step in STORY:
        for words in filter(None, (step.announced, step.text)):
            assert re.search("[\u4e00-\u9fff]", words.zh) and not re.search("[\u4e00-\u9fff]", words.en), step.name
            assert not re.search("立案|结案|管道", words.zh), "as the glossary says it"
