"""The list of incident kinds is complete: every kind has an entry, and every table by kind names it."""

import re
from pathlib import Path

from alerting.incidents.severity import SEVERITIES, severity_of
from alerting.station_incidents.rules import RULE_KINDS
from contract.glossary import WORDS
from contract.kinds import KINDS, IncidentKind

ROOT = Path(__file__).parents[3]
FAMILIES = ("kind", "alert_opened", "alert_closed", "alert_passed", "advice")


def test_every_kind_has_an_entry_and_its_words() -> None:
    assert list(KINDS) == list(IncidentKind)
    for family in FAMILIES:
        assert set(IncidentKind) <= set(WORDS[family]), family


def test_every_kind_has_a_severity() -> None:
    assert {severity_of(kind, {}) for kind in IncidentKind} == set(SEVERITIES)


def test_what_tells_incidents_of_a_kind_apart_is_in_the_glossary() -> None:
    topics = [entry.topic for entry in KINDS.values() if entry.topic is not None]
    assert topics
    assert {family for topic in topics for family in (topic.family, topic.advice)} <= set(WORDS)
    assert {topic.field for topic in topics} <= set(WORDS["detail"])


def test_the_board_ranks_every_kind() -> None:
    queries = (ROOT / "api").rglob("*.sql")
    (ranks,) = re.findall(r"array_position\(ARRAY\[([^]]*)\]", "".join(path.read_text() for path in queries))
    assert set(re.findall(r"'(\w+)'", ranks)) == set(IncidentKind)


def test_station_rules_open_kinds_that_there_are() -> None:
    assert set(RULE_KINDS) < set(IncidentKind)
