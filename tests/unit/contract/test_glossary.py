"""The glossary: every word that the code can produce is in it, in both languages, and no other table says it again."""

import ast
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from typing import Final, get_args

import pytest

from access.administration import AccountState, TokenState
from access.roles import Permission, Role
from alerting.blindspots import dark_stretch, spot
from alerting.causes.evidence import AGENT, AREA, FEEDER, SHARD, UPLINK
from alerting.delivery import facts as deliver_facts
from alerting.delivery import retry
from alerting.delivery.pages.model import UnpaidReason
from alerting.escalation.model import EntryWord
from alerting.health import rule_fields
from alerting.health import rules as health_rules
from alerting.health.service import load_rules
from alerting.incidents import book
from alerting.liveness.columns import LiveState
from alerting.repairs.likely import SIGNS
from alerting.repairs.rules import RepairOutcome
from alerting.selfcheck import rules as selfcheck_rules
from alerting.silences.model import SilenceStatus
from alerting.stations.verdict import SET_ASIDE, Clock, Hours, Verdict, judge
from api.console import closure_pages
from api.read.schemas import IncidentStatus
from audit.assessments.assess import AssessmentResult
from audit.assessments.rules import Criterion
from audit.days.figures import Figures
from audit.days.revisions import RevisionCause
from audit.findings.rules import CorrectionStatus, CountsAs, FindingKind, FindingStatus
from audit.programmes.reach import TargetStatus
from audit.timeline import Evidence
from contract import entries, glossary_page
from contract.glossary import LANGUAGES, UNITS, WORDS, any_word, word
from contract.refusal import Reason
from registry.closures.rules import ClosureStatus
from registry.duty.model import PassedOver
from registry.hours.day_classes import DayClass
from registry.importing.cells import day_class, level, lifecycle, metric
from registry.importing.rows import Kind as FileKind
from registry.model import LEVELS, LIFECYCLES, METRICS
from registry.routes.routing import NobodyWord, VerdictWord
from store import signs
from tests.machine_words import ROOMS, ROOT, Flow, Found, second_tables, sources

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# `platform` is the kind of the messages of `milepost watch`, which are no incidents.
NO_KINDS = {"platform"}


@cache
def reasons() -> Found:
    # What is only ignored is a decision that no person reads.
    return Flow("alerting", ["reason", "otherwise", "cause", "doubt"], ignoring=["ignore"]).words()


@cache
def kinds() -> Found:
    return Flow("alerting", ["kind"]).words()


@cache
def alert_kinds() -> set[str]:
    return {*kinds(), "other"} - NO_KINDS


def details() -> set[str]:
    return set().union(*(Flow("alerting", [name]).keys() for name in ("detail", "figures")))


def doubts() -> set[str]:
    """Every reason for which a verdict is unknown, whatever a station and its clock are like."""
    fresh = Clock(partition=0, shard="a", clock=0.0, tick_at=NOW, judged_at=NOW)
    old = Clock(partition=0, shard="a", clock=0.0, tick_at=NOW - timedelta(hours=1), judged_at=NOW)
    blind = Clock(partition=0, shard="a", clock=0.0, tick_at=NOW, judged_at=NOW, blind_since=NOW - timedelta(minutes=1))
    states = (None, SET_ASIDE, *(state.word for state in LiveState))
    judged = [
        judge(lifecycle=life, state=state, usable=usable, since=NOW, clock=clock, now=NOW, hours=Hours(open=is_open))
        for life, state, usable, clock, is_open in product(
            LIFECYCLES, states, (None, True, False), (None, fresh, old, blind), (True, False)
        )
    ]
    return {one.why for one in judged if one.verdict is Verdict.UNKNOWN}


def constants_of(module: object) -> set[str]:
    """The text constants of a module that name a reason: those with a docstring that says so."""
    tree = ast.parse((ROOT / f"{module.__name__.replace('.', '/')}.py").read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    pairs = zip(tree.body, tree.body[1:], strict=False)
    return {
        one.value.value
        for one, note in pairs
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.value, ast.Constant)
        and isinstance(note, ast.Expr)
        and isinstance(note.value, ast.Constant)
        and str(note.value.value).startswith("Reason:")
    }


# Why a round of an escalation began: what is owed from before is cancelled for that.
BEGINNINGS = {"reopened", "eta_passed", "route_changed", "on_its_own"}
# Read from the source of a whole room, by the test of the family: every worker imports this file.
READ: Final[dict[str, Callable[[], set[str]]]] = {
    "kind": lambda: set(kinds()) - NO_KINDS,
    "alert_opened": alert_kinds,
    "alert_closed": alert_kinds,
    "alert_passed": alert_kinds,
    "doubt": doubts,
    "detail": details,
}
PRODUCED = {
    "status": set(get_args(IncidentStatus)),
    "severity": set(health_rules.SEVERITIES),
    "verdict": {*Verdict, *(state.word for state in LiveState), "presence"},
    "evidence": set(get_args(Evidence)),
    "cause": {AREA, UPLINK, FEEDER, AGENT, SHARD},
    "spot": set(spot.SpotKind),
    "clears": {*spot.CLEARS.values(), "steady"},
    "stage": set(dark_stretch.DarkStage),
    "rule": {rule.name for rule in load_rules(None).rules_for()},
    "field": set(rule_fields.SOURCES),
    "action": {*book.Action, "acknowledged", "assigned", "note", "resolved"} - {"ignored"}
    | {"fixed", "cause", "held", "not_held"} | {"notified", "not_told", "undelivered"},
    "phase": set(get_args(deliver_facts.Phase)),
    "target": {retry.LOG_TARGET},
    "refusal": set(book.ActionRefusal),
    "lifecycle": set(LIFECYCLES),
    "closure": set(closure_pages._KINDS),
    "closure_status": set(ClosureStatus),
    "silence_status": set(SilenceStatus),
    "scope": set(closure_pages._SCOPES),
    "day_class": set(DayClass),
    "level": set(LEVELS),
    "metric": set(METRICS),
    "target_status": set(TargetStatus),
    "figure": {*Figures.__struct_fields__, *(name for name, it in vars(Figures).items() if isinstance(it, property))},
    "criterion": set(Criterion),
    "assessment_result": set(AssessmentResult),
    "revision_cause": set(RevisionCause),
    "finding": set(FindingKind),
    "finding_status": set(FindingStatus),
    "counts_as": set(CountsAs),
    "correction_status": set(CorrectionStatus),
    "file": set(get_args(FileKind)),
    "escalation": set(EntryWord),
    "repair_outcome": {"waiting", *RepairOutcome},
    "cause_evidence": set(SIGNS),
    "page_status": {"owed", "sending", "paid", "cancelled", "failed"},
    "page_reason": {*UnpaidReason, *BEGINNINGS, EntryWord.PART_OF_ANOTHER, EntryWord.EXCUSED, EntryWord.RESOLVED}
    | {"nobody_on_duty", "no_such_level", "outside_scope"},
    "passed_over": {*PassedOver, "no_channel", "over_most"},
    "route_verdict": set(get_args(VerdictWord)),
    "nobody_told": set(get_args(NobodyWord)),
    "deadletter": {*Reason, *constants_of(entries)},
    "part": {*selfcheck_rules.REQUIRED, selfcheck_rules.DATABASE, selfcheck_rules.KAFKA, "health", "deadletters"},
    "process_role": set(get_args(signs.Role)),
    "part_fault": set(get_args(selfcheck_rules.Why)),
    "role": set(Role),
    "role_acts": set(Role),
    "permission": set(Permission),
    "account_state": set(AccountState),
    "token_state": set(TokenState),
}  # fmt: skip


@pytest.mark.parametrize("family", [*READ, *PRODUCED])
def test_every_word_that_the_code_produces_is_in_the_glossary(family: str) -> None:
    produced = READ[family]() if family in READ else PRODUCED[family]
    assert produced, "the code has words of this family"
    missing = {str(name) for name in produced} - set(WORDS[family])
    assert not missing, f"contract/glossary.py has no word for {sorted(missing)} of the family {family}"


def test_every_reason_that_the_code_gives_has_a_word_wherever_it_is_shown() -> None:
    missing = {name: places for name, places in reasons().items() if name and any_word(name, "zh-CN") == name}
    assert not missing, "contract/glossary.py has no word for these reasons"


def test_the_words_are_found_where_they_arise() -> None:
    """As a constant, by a variable, by a function's answer, by a parameter's place, of another module."""
    assert {"clocks_count_again", "messages_lost", "rule_changed", "moved", "over", "stays_unusable"} <= set(reasons())
    assert {"pipeline_blind", "health", "overdue_return", "never_seen"} <= set(kinds())
    assert {"clock_missing", "clock_stale", "clock_blind", "state_unknown", "set_aside"} == doubts()


@pytest.mark.parametrize(("family", "name"), [(family, name) for family, its in WORDS.items() for name in its])
def test_every_word_is_said_in_both_languages(family: str, name: str) -> None:
    said = WORDS[family][name]
    assert said.en.strip() and said.zh.strip()
    assert not CHINESE.search(said.en)
    assert CHINESE.search(said.zh) or said.zh in {"Kafka", "%", "°C"}, "Chinese, a product, or a unit"
    assert "_" not in said.en + said.zh, "no machine word"


def test_what_differs_has_different_words() -> None:
    for family, its in WORDS.items():
        if family in {"unit", "detail", "part_effect"}:
            continue
        for language in LANGUAGES:
            texts = [said.text(language) for said in its.values()]
            assert len(set(texts)) == len(texts), (family, language)


def test_a_unit_belongs_to_a_field() -> None:
    assert set(UNITS) <= set(WORDS["field"])
    without = {name for name, source in rule_fields.SOURCES.items() if source.test in {"flag", "version"}}
    assert set(UNITS) == set(WORDS["field"]) - without, "every figure that is a number has its unit"


def test_a_word_that_is_not_known_stays_as_it_is() -> None:
    assert word("kind", "something_new", "zh-CN") == "something_new"
    assert word("no_family", "x", "en") == "x"
    assert any_word("something_new", "en") == "something_new"


@pytest.mark.parametrize(
    ("read", "family"), [(lifecycle, "lifecycle"), (level, "level"), (metric, "metric"), (day_class, "day_class")]
)
def test_an_import_reads_what_the_glossary_writes(read, family: str) -> None:  # type: ignore[no-untyped-def]
    assert {name: read(said.zh) for name, said in WORDS[family].items()} == {name: name for name in WORDS[family]}


# -- no second table ---------------------------------------------------------------------------------------------

# Names of things, of files and of facts: pages and files have headings of their own.
_NOUNS = {"term", "file", "detail"}
_STATED = {family: its for family, its in WORDS.items() if family not in _NOUNS}


def test_no_other_module_has_a_table_of_these_words() -> None:
    found = [
        f"{path}:{line}: {family}: {', '.join(names)}"
        for path, tree in sources(*ROOMS).items()
        if path not in {"contract/glossary.py", "contract/glossary_page.py", "contract/kinds.py"}
        for line, family, names in second_tables(tree, _STATED)
    ]
    assert not found, "say it in contract/glossary.py, or contract/kinds.py, only"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param('X = {"offline": "离线", "online": "在线", "away": "暂离"}', id="a dict"),
        pytest.param('X = {"offline": "Offline", "online": "Online", "away": "Is away"}', id="of English words only"),
        pytest.param('X = {Kind.DARK: ("长期无声", "Silent"), Kind.SHUT: "未开", Kind.STALE: "旧"}', id="of members"),
        pytest.param('X = {"v.offline": "离线", "v.online": "在线", "v.away": "暂离"}', id="with a prefix"),
        pytest.param('X = Words(offline="离线", online=Said("Online", "在线"), away="暂离")', id="keywords"),
        pytest.param('X = [("offline", "离线"), ("online", "在线"), ("away", "暂离")]', id="pairs"),
        pytest.param("class X:\n    OFFLINE = '离线'\n    ONLINE = '在线'\n    AWAY = '暂离'", id="a class"),
        pytest.param('X = {"closure": "闭馆", "maintenance": "维护"}', id="all of a small family"),
    ],
)  # fmt: skip
def test_a_second_table_is_found(written: str) -> None:
    assert second_tables(ast.parse(written), _STATED)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param('X = {"offline": "red", "online": "green", "away": "yellow"}', id="colours"),
        pytest.param('X = {"offline": "自 {since} 起离线", "online": "在线 {n}", "away": "离开 {n}"}', id="sentences"),
        pytest.param('X = {"停用": "suspended", "撤销": "retired", "在用": "commissioned"}', id="what is read"),
        pytest.param('X = {"offline": "离线", "title": "总览"}', id="one word"),
    ],
)
def test_other_tables_are_none(written: str) -> None:
    assert not second_tables(ast.parse(written), _STATED)


def test_templates_scripts_and_queries_have_no_words_of_their_own() -> None:
    files = [
        path
        for room in ROOMS
        for pattern in ("*.html", "*.js", "*.css", "*.sql", "*.yaml")
        for path in (ROOT / room).rglob(pattern)
    ]
    assert len(files) > 30
    assert [str(path) for path in files if CHINESE.search(path.read_text(encoding="utf-8"))] == []


def test_pages_ask_only_for_families_that_there_are() -> None:
    files = [*(ROOT / "api").rglob("*.html"), *(ROOT / "api").rglob("*.py")]
    asked = {found for path in files for found in re.findall(r'\bnamed\("(\w+)"', path.read_text(encoding="utf-8"))}
    assert {"verdict", "kind", "reason"} <= asked <= set(WORDS)


def test_the_document_is_what_the_module_says() -> None:
    written = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert written == glossary_page.rendered(), "run `python -m contract.glossary_page`"
    assert set(glossary_page._HEADINGS) == set(WORDS)
