"""Whatever happens to an incident in whatever order: nobody is forgotten, and nobody else is told."""

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.escalation.model import ALARMS, EntryWord, EscalationEntry, EscalationTurn, PagePhase
from tests.unit.alerting.escalation.story import START, Story, span

PEOPLE = ("an", "bo", "cy")
ROLES = ("technician", "lead", "head")
HAPPENINGS = (
    *("ack by an, eta {60}m", "ack by zz, eta {10}m", "ack eta {90}m", "close", "resolve", "excuse", "reopen"),
    *("joins", "leaves", "silence {120}m", "unsilence", "hold {40}m", "severity critical", "severity warning"),
    *("wait", "route other", "openings {0}m-{20}m {60}m-{90}m", "openings {0}m-{2000}m"),
)
DEEDS = st.one_of(
    st.sampled_from(HAPPENINGS),
    st.builds(
        "{} {}".format,
        st.sampled_from(["down", "up", "fails", "sending", "throttled", "unreached", "late"]),
        st.sampled_from(PEOPLE),
    ),
    st.builds("duty {}={}".format, st.sampled_from(ROLES), st.sampled_from(["", "an", "bo", "an,bo", "cy"])),
    st.builds("quiet {} {{200}}m".format, st.sampled_from(PEOPLE)),
)
HISTORIES = st.lists(st.tuples(st.integers(0, 80), DEEDS), max_size=14)
STEPS = "technician; lead after 30m; head after 2h open"


class Witness(Story):
    """A story that keeps the log, and whom it was ever right to tell."""

    def __init__(self) -> None:
        super().__init__(STEPS)
        self.on_duty("technician=an lead=bo head=cy")
        self.log: list[EscalationEntry] = []

    def apply(self, turn: EscalationTurn) -> None:
        self.log += turn.entries
        super().apply(turn)


def allowed(story: Story, deed: str) -> bool:
    """Whether it can happen: an incident that is over stays so, a closed one is not acknowledged."""
    facts, word = story.facts, deed.split()[0]
    if word == "reopen":
        return facts.status == "closed" and facts.goes_on
    if word in ("ack", "resolve", "excuse"):
        return facts.status != "closed"
    return word != "close" or facts.goes_on


def play(history: list[tuple[int, str]], *, twice: bool = False) -> Witness:
    """A story of deeds, each so many minutes after the one before; `{60}` in a deed: so many minutes from then."""
    story, minutes = Witness(), 0
    story.do("open")
    for wait, deed in history:
        minutes += wait
        story.until(START + span(f"{minutes}m"))
        if allowed(story, deed):
            later = {str(n): minutes + n for n in (0, 10, 20, 40, 60, 90, 120, 200, 2000)}
            words = deed
            for name, at in later.items():
                words = words.replace("{" + name + "}", str(at))
            story.do(*words.split(maxsplit=1))
        if twice:
            story.turn()
    return story


@settings(max_examples=400)
@given(HISTORIES)
def test_no_step_is_passed_in_silence(history: list[tuple[int, str]]) -> None:
    story = play(history)
    assert story.state is not None
    said = {(entry.round, entry.step) for entry in story.log if entry.what is EntryWord.NOBODY}
    owed = {(page.round, page.step) for page in story.pages if page.phase in ALARMS}
    for step in range(story.state.next_step):
        assert (story.state.round, step) in said | owed


@settings(max_examples=400)
@given(HISTORIES)
def test_an_incident_that_goes_on_reaches_the_last_step(history: list[tuple[int, str]]) -> None:
    story = play(history)
    story.down.clear()
    for deed in ("unsilence", "leaves", "openings 0m-9000m"):
        story.do(*deed.split(maxsplit=1))
    story.until(story.now + span("100h"))
    story.turn()
    state = story.state
    assert state is not None
    if story.facts.status != "closed" and not (story.facts.status == "acknowledged" and story.facts.eta_at is None):
        assert state.next_step == len(story.plan.steps)
        assert any(page.told for page in story.pages) or story.log[-1].what is EntryWord.END_OF_ROUTE


@settings(max_examples=400)
@given(HISTORIES)
def test_nobody_outside_the_route_is_told(history: list[tuple[int, str]]) -> None:
    story = play(history)
    chosen = {(entry.step, person) for entry in story.log for person in entry.contacts if entry.what == "step_due"}
    people = {person for _, person in chosen}
    for page in story.pages:
        if page.phase is PagePhase.REMINDER:
            assert page.recipient in ("an", "zz")
        elif page.phase in ALARMS:
            assert (page.step, page.recipient) in chosen
        else:
            assert page.recipient in people | {"zz"}


@settings(max_examples=400)
@given(HISTORIES)
def test_the_end_goes_to_exactly_those_who_were_told_once(history: list[tuple[int, str]]) -> None:
    story = play(history)
    if story.facts.goes_on:
        if story.facts.status == "closed":
            story.do("leaves")
        story.do("close")
    assert story.state is not None
    since = story.state.since
    told = {page.recipient for page in story.pages if page.phase in ALARMS and page.round >= since and page.told}
    ends = [page.recipient for page in story.pages if page.phase is PagePhase.CLOSED and page.round >= since]
    past = [page.recipient for page in story.pages if page.phase is PagePhase.PASSED and page.round >= since]
    assert sorted(ends) == sorted(told)
    assert len(set(past)) == len(past)
    assert not any(page.status == "owed" and page.phase in ALARMS for page in story.pages)


@settings(max_examples=400)
@given(HISTORIES)
def test_a_restart_at_any_moment_makes_the_same_pages(history: list[tuple[int, str]]) -> None:
    assert play(history, twice=True).lines == play(history).lines
