"""The text of the steps of a route."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.said import SaidError
from registry.routes.model import RouteStep, StepClock
from registry.routes.steps import LONGEST_DELAY, MOST_RECIPIENTS, parse_steps, steps_text

LEAD = RouteStep(role="lead", level="county", after=1800.0, clock=StepClock.OPEN)


@pytest.mark.parametrize(
    ("text", "steps", "normal"),
    [
        ("technician", (RouteStep(role="technician"),), "technician"),
        (
            "technician; lead@county after 30m open; head@city after 2h",
            (RouteStep(role="technician"), LEAD, RouteStep(role="head", level="city", after=7200.0)),
            "technician; lead@county after 30m open; head@city after 2h",
        ),
        ("technician；lead @ county after 30 m open；", (RouteStep(role="technician"), LEAD), None),
        ("lead after 90m wall most 3", (RouteStep(role="lead", after=5400.0, most=3),), "lead after 1h30m most 3"),
        ("lead after 1d 2h", (RouteStep(role="lead", after=93600.0),), "lead after 1d2h"),
        ("lead after 0m open", (RouteStep(role="lead"),), "lead"),
        ("on-call_2 most 20", (RouteStep(role="on-call_2"),), "on-call_2"),
    ],
)
def test_steps_are_read_and_written(text: str, steps: tuple[RouteStep, ...], normal: str | None) -> None:
    assert parse_steps(text) == steps
    assert normal is None or steps_text(steps) == normal


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        (" ; ", "has no step: name at least one role", "没有步骤：请至少写一个角色"),
        (
            "technician; lead county",
            "step 2, 'lead county', cannot be read: write it like technician, lead@county after 30m open, or "
            "head@city after 2h most 3",
            "第 2 步“lead county”无法识别：请写成 technician、lead@county after 30m open 或 head@city after 2h most 3",
        ),
        (
            "; ".join(["a"] * 17),
            "has 17 steps, allowed are 16: shorten the route",
            "有 17 个步骤，最多 16 个：请减少",
        ),
        (
            "a after 31d",
            "step 1 is due after more than 30 days: shorten its delay",
            "第 1 步的延时超过 30 天：请缩短",
        ),
        (
            "a most 0",
            "step 1 tells 0 people, allowed are 1 to 100",
            "第 1 步最多通知 0 人，允许 1 至 100 人",
        ),
        (
            "a after 2h; b after 1h",
            "step 2 is due after 1h, which is before the step above it: put the steps in the order in which they are "
            "due",
            "第 2 步在 1h 后，早于它前面的步骤：请按到期先后排列各步",
        ),
    ],
)
def test_what_is_wrong_is_named_in_both_languages(text: str, en: str, zh: str) -> None:
    with pytest.raises(SaidError) as caught:
        parse_steps(text)
    assert (caught.value.said.en, caught.value.said.zh) == (en, zh)


def test_steps_of_two_clocks_are_not_compared() -> None:
    assert len(parse_steps("a after 2h; b after 1h open")) == 2


STEPS = st.builds(
    RouteStep,
    role=st.from_regex(r"[0-9a-z_-]{1,32}", fullmatch=True),
    level=st.none() | st.from_regex(r"[a-z][a-z_]{0,31}", fullmatch=True),
    after=st.integers(1, int(LONGEST_DELAY)).map(float),
    clock=st.sampled_from(StepClock),
    most=st.integers(1, MOST_RECIPIENTS),
)


@given(steps=st.lists(STEPS, min_size=1, max_size=16).map(lambda some: tuple(sorted(some, key=lambda s: s.after))))
def test_what_is_written_is_read_as_the_same(steps: tuple[RouteStep, ...]) -> None:
    assert parse_steps(steps_text(steps)) == steps
