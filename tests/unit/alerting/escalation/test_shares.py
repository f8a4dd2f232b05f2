"""Who is told of which part of a wider incident and when, as timetables; and what holds whatever happens."""

from textwrap import dedent

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerting.escalation.model import ALARMS, EntryWord, PagePhase
from tests.unit.alerting.escalation.share_story import CODES, PATHS, ShareStory
from tests.unit.alerting.escalation.story import START, span
from tests.unit.registry.routes.routes_kit import route

EVERYWHERE = "people 63:technician=pu 6301:technician=ta A:technician=an,lead=al B:technician=bo C:technician=cy"
COUNTIES = "people 63:technician=pu A:technician=an,lead=al B:technician=bo,lead=bl C:technician=cy"
DOWN = "0m open 63, A 3, B 2, C 1"
TOLD = """
0m pu opened
0m ta opened 6301
0m an opened A
0m bo opened B
0m cy opened C
"""

CASES: list[tuple[str, str, str]] = [
    (
        "each level is told of its part once, and of its end once",
        f"{EVERYWHERE}\n{DOWN}\n 10m down A 0, B 0, C 0\n 20m close",
        TOLD
        + """
        10m ta closed 6301
        10m an closed A
        10m bo closed B
        10m cy closed C
        20m pu closed
        """,
    ),
    (
        "everything is back at once: one page to each level",
        f"{EVERYWHERE}\n{DOWN}\n 10m close",
        TOLD
        + """
        10m pu closed
        10m ta closed 6301
        10m an closed A
        10m bo closed B
        10m cy closed C
        """,
    ),
    (
        "an acknowledgement of a share ends the steps of this share only",
        f"{COUNTIES}\n 0m open 63, A 3, B 2\n 10m ack A, eta 240m\n 60m wait",
        """
        0m pu opened
        0m an opened A
        0m bo opened B
        30m bl escalated B
        """,
    ),
    (
        "a prefecture waits for all its counties",
        "people 63:technician=pu 6301:technician=ta,head=he A:technician=an B:technician=bo\n 0m open 63, A 1, B 1\n"
        "10m ack A, eta 300m\n 20m ack B, eta 300m\n 200m wait",
        """
        0m pu opened
        0m ta opened 6301
        0m an opened A
        0m bo opened B
        """,
    ),
    (
        "a county of the prefecture is not acknowledged: its head is told of the prefecture, once",
        "people 63:technician=pu,lead=pl 6301:technician=ta,head=he A:technician=an B:technician=bo\n"
        "0m open 63, A 1, B 1\n 10m ack A, eta 300m\n 200m wait\n 210m down A 0, B 0",
        """
        0m pu opened
        0m ta opened 6301
        0m an opened A
        0m bo opened B
        30m pl escalated
        120m he escalated 6301
        210m ta closed 6301
        210m he closed 6301
        210m an closed A
        210m bo closed B
        """,
    ),
    (
        "an acknowledgement of the whole counts for every part",
        f"{COUNTIES}\n{DOWN}\n 10m ack all, eta 200m\n 60m wait",
        """
        0m pu opened
        0m an opened A
        0m bo opened B
        0m cy opened C
        """,
    ),
    (
        "the ETA of a share passes: its steps begin anew, those of the others do not",
        f"{COUNTIES}\n 0m open 63, A 3, B 2\n 5m ack B, eta 500m\n 10m ack A, eta 70m, by an\n 80m wait",
        """
        0m pu opened
        0m an opened A
        0m bo opened B
        55m an reminder A
        70m an escalated A
        """,
    ),
    (
        "the owner of the whole is reminded once, not for each part",
        f"{COUNTIES}\n{DOWN}\n 10m ack all, eta 70m, by pu\n 60m wait",
        """
        0m pu opened
        0m an opened A
        0m bo opened B
        0m cy opened C
        55m pu reminder
        """,
    ),
    (
        "of two acknowledgements the later ETA counts",
        f"{COUNTIES}\n 0m open 63, A 3\n 5m ack A, eta 500m\n 10m ack all, eta 60m\n 90m wait",
        """
        0m pu opened
        0m an opened A
        60m pu escalated
        """,
    ),
    (
        "a county that joins later is told then",
        f"{COUNTIES}\n 0m open 63, A 3\n 20m down B 2",
        """
        0m pu opened
        0m an opened A
        20m bo opened B
        """,
    ),
    (
        "a county that is back and down again is told anew, with its end",
        f"{COUNTIES}\n 0m open 63, A 3\n 10m down A 0\n 15m down A 2\n 20m down A 0\n 25m close",
        """
        0m pu opened
        0m an opened A
        10m an closed A
        15m an reopened A
        20m an closed A
        25m pu closed
        """,
    ),
    (
        "a county that was acknowledged, is back and is down again is told anew",
        f"{COUNTIES}\n 0m open 63, A 3\n 5m ack A, eta 600m\n 10m down A 0\n 15m down A 2",
        """
        0m pu opened
        0m an opened A
        10m an closed A
        15m an reopened A
        """,
    ),
    (
        "a county that comes and goes: from the third end on, its end is told only if it stays back",
        f"{COUNTIES}\n 0m open 63, A 3\n 1m down A 0\n 2m down A 2\n 3m down A 0\n 4m down A 2\n 5m down A 0\n"
        "6m down A 2\n 7m down A 0\n 8m down A 2\n 9m down A 0\n 60m down A 1\n 61m down A 0\n 70m down A 1\n"
        "71m down A 0\n 90m close",
        """
        0m pu opened
        0m an opened A
        1m an closed A
        2m an reopened A
        3m an closed A
        4m an reopened A
        24m an closed A
        60m an reopened A
        90m pu closed
        90m an closed A
        """,
    ),
    (
        "an incident of a county that grows: its people know of it, those of the other county are told of theirs",
        f"{COUNTIES}\n 0m open A, A 3\n 10m grow 63, B 2\n 60m close",
        """
        0m an opened
        10m pu opened
        10m bo opened B
        30m al escalated A
        40m bl escalated B
        60m pu closed
        60m an closed A
        60m al closed A
        60m bo closed B
        60m bl closed B
        """,
    ),
    (
        "the first county of an incident that grew is back: nobody there is told again, at no step",
        f"{COUNTIES}\n 0m open A, A 3\n 10m grow 63, B 2\n 20m down A 0\n 90m close",
        """
        0m an opened
        10m pu opened
        10m bo opened B
        20m an closed A
        40m bl escalated B
        90m pu closed
        90m bo closed B
        90m bl closed B
        """,
    ),
    (
        "an incident that grows beyond its province: those who cover the whole are told, once",
        "people *:technician=all,lead=le 63:technician=pu A:technician=an\n 0m open 63, A 3\n 10m grow none\n"
        "20m down A 0\n 60m close",
        """
        0m pu opened
        0m an opened A
        10m all opened
        20m pu closed 63
        20m an closed A
        40m le escalated
        60m all closed
        60m le closed
        """,
    ),
    (
        "an incident that grows from a county to several provinces at once: each level is told of its own",
        "people *:technician=all 63:technician=pu A:technician=an C:technician=cy\n 0m open A, A 3\n"
        "10m grow none, C 1\n 60m close",
        """
        0m an opened
        10m all opened
        10m pu opened 63
        10m cy opened C
        60m all closed
        60m pu closed 63
        60m an closed A
        60m cy closed C
        """,
    ),
    (
        "an acknowledgement from before the growth counts for the first county only, with its reminder and its ETA",
        f"{COUNTIES}\n 0m open A, A 3\n 5m ack all, eta 60m, by an\n 10m grow 63, B 2\n20m ack B, eta 300m\n 70m close",
        """
        0m an opened
        10m pu opened
        10m bo opened B
        45m an reminder A
        60m an escalated A
        70m pu closed
        70m an closed A
        70m bo closed B
        """,
    ),
    (
        "an acknowledgement between two growths counts for the area of that time, and is reminded of once",
        "people 63:technician=pu 6301:technician=ta A:technician=an B:technician=bo C:technician=cy\n"
        "0m open A, A 3\n 10m grow 6301, B 2\n 15m ack all, eta 60m, by ta\n 20m grow 63, C 1\n 55m close",
        """
        0m an opened
        10m ta opened
        10m bo opened B
        20m pu opened
        20m cy opened C
        45m ta reminder 6301
        55m pu closed
        55m ta closed 6301
        55m an closed A
        55m bo closed B
        55m cy closed C
        """,
    ),
    (
        "whoever was told of the county is told of the prefecture too, because it does not end with the county",
        "people 6301:lead=le A:technician=an B:technician=bo 63:technician=pu\n 0m open A, A 3\n 40m grow 6301, B 1\n"
        "75m close",
        """
        0m an opened
        30m le escalated
        40m pu opened
        40m bo opened B
        70m le escalated
        75m pu closed
        75m le closed
        75m an closed A
        75m le closed A
        75m bo closed B
        """,
    ),
    (
        "an outage that was over before anybody could be told: each part is told once, as past",
        f"{COUNTIES}\n 0m cut 63, A 3, B 2",
        """
        0m pu passed
        0m an passed A
        0m bo passed B
        """,
    ),
    (
        "an incident that grows to the prefecture and then to the province: each level is told once, by its own part",
        "people 63:technician=pu,lead=pl 6301:technician=ta A:technician=an B:technician=bo C:technician=cy\n"
        "0m open A, A 3\n 10m grow 6301, B 2\n 20m grow 63, C 1\n 60m close",
        """
        0m an opened
        10m ta opened
        10m bo opened B
        20m pu opened
        20m cy opened C
        50m pl escalated
        60m pu closed
        60m pl closed
        60m ta closed 6301
        60m an closed A
        60m bo closed B
        60m cy closed C
        """,
    ),
    (
        "an incident that grew: the acknowledgement of its first county ends the steps there, with one reminder",
        f"{COUNTIES}\n 0m open A, A 3\n 10m grow 63, B 2\n 20m ack A, eta 120m, by an\n 125m close",
        """
        0m an opened
        10m pu opened
        10m bo opened B
        40m bl escalated B
        105m an reminder A
        120m an escalated A
        125m pu closed
        125m an closed A
        125m bo closed B
        125m bl closed B
        """,
    ),
    (
        "an ETA passes in one county: the prefecture is told of it once, whatever other counties acknowledge",
        "people 63:technician=pu 6301:technician=ta A:technician=an B:technician=bo\n 0m open 63, A 1, B 1\n"
        "10m ack A, eta 20m\n 12m ack B, eta 400m\n 25m ack B, eta 500m\n 28m ack B, eta 600m",
        """
        0m pu opened
        0m ta opened 6301
        0m an opened A
        0m bo opened B
        20m ta escalated 6301
        20m an escalated A
        """,
    ),
    (
        "an ETA that passed before all counties were acknowledged ends nothing in the prefecture",
        "people 63:technician=pu 6301:technician=ta A:technician=an B:technician=bo\n 0m open 63, A 1, B 1\n"
        "10m ack A, eta 20m\n 25m ack B, eta 400m",
        """
        0m pu opened
        0m ta opened 6301
        0m an opened A
        0m bo opened B
        20m an escalated A
        """,
    ),
    (
        "the county whose ETA passed is back: the others are acknowledged, and so is the prefecture",
        "people 63:technician=pu 6301:technician=ta,lead=le A:technician=an B:technician=bo\n 0m open 63, A 1, B 1\n"
        "10m ack A, eta 20m\n 12m ack B, eta 400m\n 25m down A 0\n 90m wait",
        """
        0m pu opened
        0m ta opened 6301
        0m an opened A
        0m bo opened B
        20m ta escalated 6301
        20m an escalated A
        25m an closed A
        """,
    ),
    (
        "the incident opens again: all parts are told anew, also those that were acknowledged",
        f"{COUNTIES}\n 0m open 63, A 3, B 1\n 5m ack A, eta 600m\n 10m shelve\n 20m reopen",
        """
        0m pu opened
        0m an opened A
        0m bo opened B
        10m pu resolved
        10m an resolved A
        10m bo resolved B
        20m pu reopened
        20m an reopened A
        20m bo reopened B
        """,
    ),
    (
        "a county without people: those above it are told of their own part, and nothing is due at once",
        "people 63:technician=pu 6301:technician=ta A:lead=al\n 0m open 63, A 3\n 40m wait",
        """
        0m pu opened
        0m ta opened 6301
        30m al escalated A
        """,
    ),
    (
        "nobody below the province: only the incident is told",
        "people 63:technician=pu\n 0m open 63, A 3, B 2\n 3h wait",
        "0m pu opened",
    ),
    (
        "a county alone: no part beside the incident",
        f"{COUNTIES}\n 0m open A, A 3\n 10m close",
        """
        0m an opened
        10m an closed
        """,
    ),
    (
        "an incident without an area: provinces have parts too",
        "people *:technician=all 63:technician=pu A:technician=an\n 0m open none, A 3",
        """
        0m all opened
        0m pu opened 63
        0m an opened A
        """,
    ),
    (
        "a silence of a county holds its part alone; what goes on is told after it",
        f"{COUNTIES}\n 0m silence A, 60m\n 5m open 63, A 3, B 2\n 70m ack all, eta 600m\n 80m close",
        """
        5m pu opened
        5m bo opened B
        35m bl escalated B
        60m an opened A
        80m pu closed
        80m an closed A
        80m bo closed B
        80m bl closed B
        """,
    ),
    (
        "a room of the county is told with its person, and no person is looked for above because of it",
        "people 63:technician=pu A:technician=an B:technician=room-b\n 0m open 63, A 3, B 2",
        """
        0m pu opened
        0m an opened A
        0m room-b opened B
        """,
    ),
]


@pytest.mark.parametrize(("text", "lines"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_table(text: str, lines: str) -> None:
    assert ShareStory().play(text) == [line.strip() for line in dedent(lines).strip().splitlines() if line.strip()]


OWN = "technician; lead after 30m; head@prefecture after 1h"


def test_a_route_of_a_county_alone_leads_wherever_it_says() -> None:
    """The people above run another route and would not be told by it, so the steps of the county go on there."""
    story = ShareStory(route("technician"), route(OWN, "county", CODES["A"]))
    people = "people 63:technician=pu,lead=pl 6301:technician=ta,head=he A:technician=an"
    lines = story.play(f"{people}\n 0m open 63, A 3, B 1\n 2h wait")
    assert lines == ["0m pu opened", "0m ta opened 6301", "0m an opened A", "30m pl escalated A", "60m he escalated A"]


def test_a_county_that_joins_after_an_edit_of_the_route_is_told_by_the_new_one() -> None:
    """The incident keeps its old steps, so nobody above is told by the new ones."""
    story = ShareStory(route("technician"))
    story.play("people 63:technician=pu,lead=pl B:technician=bo\n 0m open 63, A 3")
    story.routes = (route("technician; lead after 30m"),)
    story.play("10m down B 2\n 2h wait")
    assert story.lines == ["0m pu opened", "10m bo opened B", "40m pl escalated B"]


def test_the_log_of_a_part_says_that_others_are_told() -> None:
    story = ShareStory()
    story.play("people 63:technician=pu,lead=pl A:head=x\n 0m open 63, A 3\n 40m wait")
    said = [(entry.what, entry.step) for share, entry in story.log if share == CODES["A"]]
    assert said == [(EntryWord.TOLD_ABOVE, 0), (EntryWord.TOLD_ABOVE, 1)]


# ---- whatever happens, in whatever order

_COUNTS = st.integers(0, 2)
_PLACES = st.sampled_from(["A", "B", "C"])
ALL = "*:technician=all"
_DEEDS = st.one_of(
    st.builds("down {} {}".format, _PLACES, _COUNTS),
    st.builds("ack {}, eta {{{}}}m".format, st.sampled_from(["A", "B", "C", "all"]), st.sampled_from([10, 90])),
    st.builds("silence {}, {{{}}}m".format, st.sampled_from(["A", "6301", "63"]), st.sampled_from([10, 90])),
    st.sampled_from(
        ["close", "shelve", "reopen", "wait", "grow 63", "grow 6301", "grow none", "edit 0", "edit 1", "edit 2"]
    ),
    st.sampled_from([f"people 63:technician=pu 6301:head=he A:technician=an {ALL}"]),
    st.sampled_from([f"people 63:technician=pv,lead=pl A:technician=a2 B:lead=bl {ALL}", f"people {ALL}"]),
)
_HISTORIES = st.lists(st.tuples(st.integers(0, 80), _DEEDS), max_size=12)
_WHERE = st.sampled_from(["63", "6301", "A", "none"])


EDITS = (
    (route("technician; lead after 30m; head after 1h"),),
    (route("technician"), route("lead; technician@county after 30m", "county", CODES["A"])),
    (route("technician; head@prefecture after 10m"), route("technician", "north", "6301")),
)


class ShareWitness(ShareStory):
    """A story in which the same is decided again after each deed, if it is told to."""

    twice = False

    def do(self, deed: str, rest: str = "") -> None:
        if deed == "edit":
            self.routes = EDITS[int(rest)]
        super().do(deed, rest)
        if self.twice:
            self.turn()


def play(where: str, history: list[tuple[int, str]], *, twice: bool = False) -> ShareWitness:
    """A story of deeds, each so many minutes after the one before; `{90}` in a deed: so many minutes from then."""
    story, minutes = ShareWitness(*EDITS[0]), 0
    story.twice = twice
    story.play(f"{COUNTIES} {ALL}\n0m open {where}, A 2, B 1")
    for wait, deed in history:
        minutes += wait
        story.until(START + span(f"{minutes}m"))
        closed, over = story.row["status"] == "closed", story.row["reopen_at"] is None
        if (deed.startswith(("ack", "shelve")) and closed) or (deed == "reopen" and (over or not closed)):
            continue
        if deed == "close" and closed and over:
            continue
        words = deed.replace("{10}", str(minutes + 10)).replace("{90}", str(minutes + 90))
        story.do(*words.split(maxsplit=1))
    return story


@settings(max_examples=80, deadline=None)
@given(_WHERE, _HISTORIES)
def test_an_incident_that_is_covered_is_told_to_somebody(where: str, history: list[tuple[int, str]]) -> None:
    """Somebody who covers everything is there at all times: of an incident that goes on somebody is told, and of each
    part either its own people or, as its log says, those of a larger one."""
    story = play(where, history)
    story.silences.clear()
    story.turn()
    story.until(story.now + span("100h"))
    if story.row["status"] != "closed":
        assert any(page.told for page in story.pages[""])
    for area in PATHS:
        if area in story.states and story.states[area].ended is None:
            said = {entry.what for share, entry in story.log if share == area}
            assert any(page.told for page in story.pages[area]) or EntryWord.TOLD_ABOVE in said, area


@settings(max_examples=80, deadline=None)
@given(_WHERE, _HISTORIES)
def test_nobody_outside_the_route_of_a_part_is_told(where: str, history: list[tuple[int, str]]) -> None:
    story = play(where, history)
    for share, pages in story.pages.items():
        chosen = {name for part, entry in story.log if part == share for name in entry.contacts}
        assert {page.recipient for page in pages} <= chosen
        if share:
            places = {page.recipient: _place_of(page.recipient) for page in pages}
            assert all(place is None or place in PATHS[share] for place in places.values()), places


def _place_of(name: str) -> str | None:
    found = {"p": "63", "h": "6301", "a": CODES["A"], "b": CODES["B"], "c": CODES["C"]}
    return None if name == "all" else found[name[0]]


@settings(max_examples=80, deadline=None)
@given(_WHERE, _HISTORIES)
@example("6301", [(0, "grow none")])
def test_nobody_is_told_twice_of_one_thing(where: str, history: list[tuple[int, str]]) -> None:
    story = play(where, history)
    for share, pages in story.pages.items():
        keys = [(page.recipient, page.phase, page.step, page.round) for page in pages]
        assert len(set(keys)) == len(keys), share
    if not any(deed.startswith("edit") for _, deed in history):  # parts with another route lead wherever it says
        # Recipients of an outgrown area get a page about the larger area as well: outgrown shares do not count.
        grown = {share for share, plan in story.plans.items() if plan.outgrown}
        opened = [
            (page.recipient, page.round)
            for share in story.pages.keys() - grown
            for page in story.pages[share]
            if page.phase is PagePhase.OPENED
        ]
        assert len(set(opened)) == len(opened), "the same person about two parts"


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 15), min_size=2, max_size=60))
def test_a_county_that_comes_and_goes_gets_few_messages(pauses: list[int]) -> None:
    """At most one end in each time for which a share must be back, after the first two."""
    story, minutes = ShareStory(route("technician")), 0
    story.play(f"{COUNTIES}\n0m open 63, A 1")
    for number, pause in enumerate(pauses):
        minutes += pause
        story.until(START + span(f"{minutes}m"))
        story.do("down", f"A {number % 2}")
    told = [line for line in story.lines if " an " in line]
    assert len(told) <= 5 + 2 * minutes / 15


@settings(max_examples=80, deadline=None)
@given(_WHERE, _HISTORIES)
def test_the_end_of_a_part_goes_to_those_who_were_told_of_it(where: str, history: list[tuple[int, str]]) -> None:
    story = play(where, history)
    if story.row["status"] != "closed" or story.row["reopen_at"] is not None:
        story.do("close")
    for share, pages in story.pages.items():
        since = story.states[share].since
        told = {page.recipient for page in pages if page.phase in ALARMS and page.round >= since and page.told}
        ends = [page.recipient for page in pages if page.phase is PagePhase.CLOSED and page.round >= since]
        assert sorted(ends) == sorted(told), share


@settings(max_examples=80, deadline=None)
@given(_WHERE, _HISTORIES)
def test_a_restart_at_any_moment_makes_the_same_pages(where: str, history: list[tuple[int, str]]) -> None:
    assert play(where, history, twice=True).lines == play(where, history).lines
