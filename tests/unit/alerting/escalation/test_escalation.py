"""Who is told of an incident and when, as timetables."""

from textwrap import dedent

import pytest

from tests.unit.alerting.escalation.story import Story

LADDER = """
steps technician; lead after 30m; head after 2h
duty technician=an lead=li head=he
"""

STORIES: list[tuple[str, str, str]] = [
    (
        "nobody acknowledges: every step is told, then nobody is left",
        "0m open\n 5h wait",
        """
        0m an opened
        30m li escalated
        120m he escalated
        """,
    ),
    (
        "an acknowledgement ends the steps; the owner is reminded; the fault ends before the ETA",
        "0m open\n 10m ack by an, eta 60m\n 50m close",
        """
        0m an opened
        10m · acknowledged
        45m · reminded
        45m an reminder
        50m · over
        50m an closed
        """,
    ),
    (
        "acknowledged and forgotten: when the ETA passes all of it begins anew",
        "0m open\n 10m ack by an, eta 60m\n 5h wait",
        """
        0m an opened
        10m · acknowledged
        45m · reminded
        45m an reminder
        60m · eta_passed
        60m an escalated
        90m li escalated
        180m he escalated
        """,
    ),
    (
        "somebody else of another county took it: told too when the ETA passes",
        "0m open\n 10m ack by zz, eta 60m\n 70m close",
        """
        0m an opened
        10m · acknowledged
        45m · reminded
        45m zz reminder
        60m · eta_passed
        60m an escalated
        60m zz reminder
        70m · over
        70m an closed
        70m zz closed
        """,
    ),
    (
        "a new ETA is a new acknowledgement, with a reminder of its own",
        "0m open\n 10m ack by an, eta 60m\n 50m ack by an, eta 120m\n 110m close",
        """
        0m an opened
        10m · acknowledged
        45m · reminded
        45m an reminder
        50m · acknowledged
        105m · reminded
        105m an reminder
        110m · over
        110m an closed
        """,
    ),
    (
        "acknowledged after the ETA passed: quiet again",
        "0m open\n 10m ack by an, eta 60m\n 70m ack by bo, eta 100m\n 80m close",
        """
        0m an opened
        10m · acknowledged
        45m · reminded
        45m an reminder
        60m · eta_passed
        60m an escalated
        70m · acknowledged
        80m · over
        80m an closed
        """,
    ),
    (
        "who acknowledged is no contact: the log says so, nobody else is bothered",
        "0m open\n 10m ack eta 60m\n 50m close",
        """
        0m an opened
        10m · acknowledged
        45m · owner_unknown
        50m · over
        50m an closed
        """,
    ),
    (
        "acknowledged long ago, without an ETA: as before",
        "0m open\n 10m ack by an\n 9h wait",
        """
        0m an opened
        10m · acknowledged
        """,
    ),
    (
        "nobody on duty: the next step at once, and the later steps at their time",
        "0m duty technician=\n 3h wait",
        """
        0m · nobody 0 nobody_on_duty
        0m li escalated
        120m he escalated
        """,
    ),
    (
        "nobody on duty at all: said for each step",
        "0m duty technician= lead= head=\n 3h wait\n 4h close",
        """
        0m · nobody 0 nobody_on_duty
        0m · nobody 1 nobody_on_duty
        0m · nobody 2 nobody_on_duty
        0m · end_of_route
        240m · over
        240m · nobody 0 nobody_on_duty
        240m · nobody 1 nobody_on_duty
        240m · nobody 2 nobody_on_duty
        """,
    ),
    (
        "who is on duty is found when the step is due",
        "0m open\n 20m duty lead=lu\n 40m wait",
        """
        0m an opened
        30m lu escalated
        """,
    ),
    (
        "one has no channel left: the next step at once",
        "0m down an\n 1m fails an\n 3h wait",
        """
        0m an opened
        1m · undeliverable 0 no_channel
        1m li escalated
        120m he escalated
        """,
    ),
    (
        "two are told and one of them can not be: the other has it",
        "duty technician=an,bo\n 0m down an\n 1m fails an\n 40m wait",
        """
        0m an opened
        0m bo opened
        30m li escalated
        """,
    ),
    (
        "a person can not be told, and the group has it: the next step at once",
        "duty technician=an,room\n 0m down an\n 1m fails an\n 2m wait",
        """
        0m an opened
        0m room opened
        1m · undeliverable 0 no_channel
        1m li escalated
        """,
    ),
    (
        "a step for a group alone is told when the group has it",
        "duty technician=room\n 0m open\n 2m wait",
        """
        0m room opened
        """,
    ),
    (
        "the last step can not be told: said once",
        "0m open\n 1m down he\n 121m fails he\n 122m wait\n 200m close",
        """
        0m an opened
        30m li escalated
        120m he escalated
        121m · undeliverable 2 no_channel
        121m · end_of_route
        200m · over
        200m an closed
        200m li closed
        """,
    ),
    (
        "the fault comes back: a new round",
        "0m open\n 10m close\n 60m reopen\n 95m close",
        """
        0m an opened
        10m · over
        10m an closed
        60m · reopened
        60m an reopened
        90m li escalated
        95m · over
        95m an closed
        95m li closed
        """,
    ),
    (
        "a person closes it and the fault goes on: told as closed, as back, and as over",
        "0m open\n 31m resolve\n 240m reopen\n 241m close",
        """
        0m an opened
        30m li escalated
        31m · resolved
        31m an resolved
        31m li resolved
        240m · reopened
        240m an reopened
        241m · over
        241m an closed
        """,
    ),
    (
        "a person closes it and the fault ends later",
        "0m open\n 10m resolve\n 60m close",
        """
        0m an opened
        10m · resolved
        10m an resolved
        60m · over
        60m an closed
        """,
    ),
    (
        "over before it could be sent: told once, as past",
        "0m down an\n 10m close\n 20m up an\n 30m wait",
        """
        0m an opened
        10m · over
        10m an opened cancelled: over
        10m an passed
        """,
    ),
    (
        "one was told, the other not yet: an end for one, something past for the other",
        "0m down li\n 40m close",
        """
        0m an opened
        30m li escalated
        40m · over
        40m li escalated cancelled: over
        40m an closed
        40m li passed
        """,
    ),
    (
        "perhaps sent: then the end is told too",
        "0m down an\n 1m sending an\n 10m close",
        """
        0m an opened
        10m · over
        10m an closed
        """,
    ),
    (
        "certainly not sent yet, although it was tried: told as past",
        "0m down an\n 1m throttled an\n 10m close",
        """
        0m an opened
        10m · over
        10m an passed
        """,
    ),
    (
        "every channel was tried in vain, and the last is still tried: the next step at once",
        "0m down an\n 9m unreached an\n 20m wait",
        """
        0m an opened
        9m · undeliverable 0 unreached
        9m li escalated
        """,
    ),
    (
        "whoever sends saw the end first and cancelled the page: told as past all the same",
        "0m down an\n 9m late an\n 10m close",
        """
        0m an opened
        10m · over
        10m an passed
        """,
    ),
    (
        "quiet hours hold what is no emergency, and the steps count from their end",
        "0m quiet an 8h\n 8h31m wait",
        """
        0m an opened at 480m
        510m li escalated
        """,
    ),
    (
        "it becomes an emergency in the quiet hours: now",
        "0m quiet an 8h\n 5m severity critical\n 10m close",
        """
        0m an opened at 480m
        5m · severity_rose critical
        10m · over
        10m an closed
        """,
    ),
    (
        "it ends in the quiet hours: told as past when they end",
        "0m quiet an 8h\n 5m close",
        """
        0m an opened at 480m
        5m · over
        5m an opened cancelled: over
        5m an passed at 480m
        """,
    ),
    (
        "it began while silenced and goes on: told when the silence ends",
        "0m silence 3h\n 4h wait",
        """
        0m · silenced
        180m an opened
        210m li escalated
        """,
    ),
    (
        "the silence is ended early",
        "0m silence 3h\n 1h unsilence\n 61m close",
        """
        0m · silenced
        60m an opened
        61m · over
        61m an closed
        """,
    ),
    (
        "over while silenced: told as past when the silence ends",
        "0m silence 3h\n 1h close\n 4h wait",
        """
        0m · silenced
        60m · over
        60m · silenced
        180m an passed
        """,
    ),
    (
        "silenced after the first step: the later steps wait, the end is told at once",
        "0m open\n 10m silence 3h\n 1h close",
        """
        0m an opened
        10m · silenced
        60m · over
        60m an closed
        """,
    ),
    (
        "owed when the silence begins: held, and taken back when the silence is ended",
        "0m down an\n 5m silence 3h\n 6m up an\n 20m unsilence\n 21m close",
        """
        0m an opened
        5m · silenced
        21m · over
        21m an closed
        """,
    ),
    (
        "found in the night, held until the station opens",
        "0m hold 8h\n 9h wait",
        """
        0m · held
        480m an opened
        510m li escalated
        """,
    ),
    (
        "held until the station opens, and over by then",
        "0m hold 8h\n 2h close\n 9h wait",
        """
        0m · held
        120m · over
        120m · held
        480m an passed
        """,
    ),
    (
        "it gets a cause: what is not sent yet is cancelled, and the steps end",
        "0m open\n 20m joins\n 60m close",
        """
        0m an opened
        20m · part_of_another
        60m · over
        60m an closed
        """,
    ),
    (
        "the cause ends and it goes on by itself: who was not told is told now",
        "0m down an\n 1m joins\n 20m up an\n 30m leaves\n 61m wait",
        """
        0m an opened
        1m · part_of_another
        1m an opened cancelled: part_of_another
        30m · on_its_own
        30m an opened
        60m li escalated
        """,
    ),
    (
        "a closure excuses it before it is sent",
        "0m down an\n 1m excuse\n 20m close",
        """
        0m an opened
        1m · excused
        1m an opened cancelled: excused
        20m · over
        """,
    ),
    (
        "acknowledged before it was sent",
        "0m down an\n 1m ack by bo, eta 60m\n 20m close",
        """
        0m an opened
        1m · acknowledged
        1m an opened cancelled: acknowledged
        20m · over
        """,
    ),
    (
        "its severity has another route",
        "0m open\n 1m severity critical\n 2m route platform\n 33m close",
        """
        0m an opened
        1m · severity_rose critical
        2m · route_changed platform
        2m an opened
        32m li escalated
        33m · over
        33m an closed
        33m li closed
        """,
    ),
]


@pytest.mark.parametrize(("name", "text", "expected"), STORIES, ids=[story[0] for story in STORIES])
def test_a_timetable(name: str, text: str, expected: str) -> None:
    assert Story().play(LADDER + dedent(text)) == dedent(expected).strip().splitlines(), name


OPEN_STEPS: list[tuple[str, str, str, str]] = [
    ("half an hour of open time over the night", "lead after 30m open", "0m-10m 8h-17h", "500m li escalated"),
    ("within one opening", "lead after 30m open", "0m-8h", "30m li escalated"),
    ("exactly until it closes", "lead after 30m open", "0m-30m 8h-9h", "30m li escalated"),
    ("the station is closed when it begins", "lead after 30m open", "8h-17h", "510m li escalated"),
    ("three openings", "lead after 2h open", "0m-1h 2h-2h30m 4h-9h", "270m li escalated"),
    ("wall time", "lead after 30m", "8h-17h", "30m li escalated"),
]


@pytest.mark.parametrize(("name", "step", "openings", "told"), OPEN_STEPS, ids=[case[0] for case in OPEN_STEPS])
def test_steps_by_open_time(name: str, step: str, openings: str, told: str) -> None:
    story = Story(f"technician; {step}")
    lines = story.play(f"duty technician=an lead=li\n 0m openings {openings}\n 11h wait")
    assert lines == ["0m an opened", told], name


def test_a_step_beyond_the_known_openings_is_looked_for_again() -> None:
    story = Story("technician; lead after 30m open")
    assert story.play("duty technician=an lead=li\n 0m openings 0m-10m\n 1h wait") == ["0m an opened"]
    assert story.wake_at is not None
    assert story.play("24h openings 0m-10m 24h-30h\n 25h wait")[1:] == ["1460m li escalated"]


def test_at_most_so_many_of_a_step() -> None:
    story = Story("technician most 2")
    assert story.play("duty technician=an,bo,cy\n 0m open") == ["0m an opened", "0m bo opened"]


def test_a_route_that_does_not_tell_the_past() -> None:
    story = Story(tell_past=False)
    assert story.play("duty technician=an\n 0m down an\n 10m close\n 11m up an\n 12m wait") == [
        "0m an opened",
        "10m · over",
        "10m an opened cancelled: over",
    ]


def test_no_route_covers_it() -> None:
    story = Story(route=None)
    assert story.play("duty technician=an\n 0m open\n 10m wait\n 20m ack by an, eta 60m\n 2h wait\n 3h close") == [
        "0m · no_route",
        "20m · acknowledged",
        "45m · reminded",
        "45m an reminder",
        "60m · eta_passed",
        "60m · no_route",
        "60m an reminder",
        "180m · over",
        "180m an closed",
    ]


@pytest.mark.parametrize(("name", "text", "expected"), STORIES, ids=[story[0] for story in STORIES])
def test_looking_more_often_changes_nothing(name: str, text: str, expected: str) -> None:
    """A process that starts again, or wakes for nothing, decides the same."""

    class Restless(Story):
        def turn(self):  # type: ignore[no-untyped-def]
            super().turn()
            return super().turn()

    assert Restless().play(LADDER + dedent(text)) == dedent(expected).strip().splitlines(), name
