"""Rules from YAML: each mistake is named with its line, in both languages."""

import re

import pytest

from audit.assessments.rules import Cap, Criterion
from audit.assessments.rules_yaml import MOST_RULES, read_rules
from contract.errors import RemedyError
from tests.unit.audit.assessments.world import DEFAULT, SIMPLE


def test_the_default_rules() -> None:
    rules = read_rules(DEFAULT)
    for part in (rules.month, rules.year):
        assert {rule.criterion for rule in part.criteria} == set(Criterion)
        assert sum(rule.weight for rule in part.criteria) == 100
        assert part.caps
    assert rules.month != rules.year


def test_numbers_are_exact() -> None:
    rules = read_rules(SIMPLE.replace("full: 90", "full: 90.05")).month
    assert [rule.full for rule in rules.criteria] == [10000, 9005]
    assert rules.caps == (Cap(criterion=Criterion.ONLINE_RATE, below=5000, at_most=4000),)


def test_the_order_of_criteria_in_the_file_does_not_matter() -> None:
    first, second = re.findall(r"    \w+: \{weight.*\n", SIMPLE)
    assert read_rules(SIMPLE.replace(first + second, second + first)) == read_rules(SIMPLE)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("weight: 40", "weight: 30", "line 8: the weights sum to 90: make the sum 100"),
        ("weight: 40", "weight: 0", "line 9: weight must be a whole number from 1 to 100"),
        ("weight: 40", "weight: 4e1", "line 9: weight must be a whole number from 1 to 100"),
        ("none: 40", "none: 90", "line 9: none is not below full: lower it"),
        ("none: 40", "none: .nan", "line 9: '.nan' is no number from 0 to 999 with at most two decimals: correct it"),
        ("none: 40", "none: [1]", "line 9: here must be a single value"),
        ("none: 40", "least: 40", "line 9: there is no key 'least': allowed are weight, full, none, missing"),
        (", none: 40", "", "line 9: none is missing: add it"),
        ("none: 40", "none: 40, missing: later", "line 9: 'later' is unknown: use left_out, zero"),
        ("none: 40", "none: 40, none: 40", "line 9: none is given twice: keep one"),
        ("    online_rate: {", "    rate: {", "line 8: there is no key 'rate': allowed are online_rate, service_rate"),
        ("criterion: online_rate", "criterion: coverage", "line 11: coverage is not among the criteria: add it there"),
        ("criterion: online_rate", "criterion: x", "line 11: 'x' is unknown: use online_rate"),
        ("  caps:\n    - {", "  caps: {", "line 10: caps must be a list of at most 20"),
        ("warn: 60", "warn: 81", "line 6: warn is above pass: lower it"),
        ("pass: 80", "pass: 101", "line 5: pass is above 100: lower it"),
        ("name: simple", "name: a/b", "line 2: name is 'a/b': use letters, digits, _ and -, at most 32"),
        ("version: 3", "version: 0", "line 3: version must be a whole number from 1 to 999999"),
        ("version: 3", "version: ３", "line 3: version must be a whole number from 1 to 999999"),
        ("version: 3\n", "", "line 2: version is missing: add it"),
        ("name: simple", "name: *simple", "line 2: an alias (*name) or too deep nesting"),
        ("name: simple", "name: [", "this is not YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(old: str, new: str, said: str) -> None:
    assert old in SIMPLE
    text = SIMPLE.replace(old, new)
    with pytest.raises(RemedyError) as raised:
        read_rules(text)
    assert said in raised.value.said.en
    assert re.search(r"[\u4e00-\u9fff]", raised.value.said.zh)


def test_no_tag_of_yaml_is_followed() -> None:
    assert read_rules(SIMPLE.replace("name: simple", "name: !!python/object:os.system x")).name == "x"


@pytest.mark.parametrize(
    "text", ["", "# nothing", "- a", "x", "a" * (MOST_RULES + 1), "[" * MOST_RULES, "\x00", "a: b: c"]
)
def test_what_is_no_file_of_rules_is_refused(text: str) -> None:
    with pytest.raises(RemedyError) as raised:
        read_rules(text)
    assert raised.value.said.zh != raised.value.said.en
