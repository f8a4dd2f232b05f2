"""The file of health rules: what it may say, and what it says of mistakes."""

from pathlib import Path

import pytest

from alerting.health.rule_fields import SOURCES, version_number, version_text
from alerting.health.rules import SEVERITIES, HealthRule
from alerting.health.rules_file import read_rules
from alerting.health.service import load_rules
from alerting.health.spells import SampleLevel
from contract.errors import RemedyError
from contract.glossary import WORDS

SHIPPED = Path(__file__).parents[4] / "alerting" / "health" / "default_rules.yaml"
DOCUMENT = Path(__file__).parents[4] / "docs" / "health-rules.md"


def over_shipped(text: str) -> dict[str, HealthRule]:
    return {rule.name: rule for rule in read_rules([("shipped", SHIPPED.read_text()), ("mine.yaml", text)]).rules_for()}


def test_every_field_has_a_shipped_rule_or_is_offered_in_the_document() -> None:
    looked_at = {rule.field for rule in load_rules(None).rules_for()}
    assert looked_at <= set(SOURCES)
    text = DOCUMENT.read_text(encoding="utf-8")
    assert all(f"`{field}`" in text for field in SOURCES)
    assert all(f"`{rule.name}`" in text for rule in load_rules(None).rules_for())


def test_every_shipped_rule_and_severity_has_a_word() -> None:
    assert {rule.name for rule in load_rules(None).rules_for()} <= set(WORDS["rule"])
    assert set(SEVERITIES) == set(WORDS["severity"])


def test_examples_of_the_document_are_rules() -> None:
    blocks = DOCUMENT.read_text(encoding="utf-8").split("```yaml\n")[1:]
    assert blocks
    for block in blocks:
        assert over_shipped(block.partition("```")[0])


def test_a_file_changes_single_keys_adds_and_turns_off() -> None:
    found = over_shipped(
        "rules:\n  disk_full: {above: 80%, clear: 70%}\n  hot: {off: true}\n  slow: {field: rtt_ms, above: 900}\n"
    )
    assert (found["disk_full"].above, found["disk_full"].hold) == (0.8, 600)
    assert "hot" not in found
    assert found["slow"].judge(1000) is SampleLevel.BAD


def test_a_file_can_replace_all() -> None:
    assert set(over_shipped("extends: none\nrules:\n  slow: {field: rtt_ms, above: 900}\n")) == {"slow"}


def test_overrides_by_kind_and_area_the_later_one_wins() -> None:
    text = """
rules:
  disk_full:
    overrides:
      - {area: "65", above: 97%}
      - {kind: kiosk, above: 99%}
      - {kind: kiosk, area: "654201", off: true}
  hot:
    off: true
    overrides:
      - {kind: kiosk, off: false}
"""
    rules = read_rules([("shipped", SHIPPED.read_text()), ("mine.yaml", text)])
    xinjiang, tacheng = "650000000000", "654201000000"

    def disk(kind: str | None, *path: str) -> float | None:
        return next((rule.above for rule in rules.rules_for(kind, path) if rule.name == "disk_full"), None)

    assert disk(None) == disk("library", "630000000000") == 0.95
    assert disk("library", xinjiang) == 0.97
    assert disk("kiosk", xinjiang) == disk("kiosk") == 0.99
    assert disk("kiosk", xinjiang, tacheng) is None
    assert [any(rule.name == "hot" for rule in rules.rules_for(kind)) for kind in (None, "kiosk")] == [False, True]
    assert rules.rules_for("kiosk") is rules.rules_for("kiosk", ("620000000000",))


def test_values_at_the_thresholds() -> None:
    rule = HealthRule(name="x", field="disk", above=0.95, clear=0.9)
    assert [rule.judge(v) for v in (0.951, 0.95, 0.9001, 0.9)] == [2, 1, 1, 0]
    below = HealthRule(name="x", field="agent", below=2000.0)
    assert [below.judge(v) for v in (1999.0, 2000.0)] == [2, 0]
    flag = HealthRule(name="x", field="wifi", equals=False)
    assert [flag.judge(v) for v in (0.0, 1.0)] == [2, 0]


def test_what_decides_has_another_mark_and_what_does_not_has_none() -> None:
    rule = HealthRule(name="x", field="disk", above=0.95)
    assert rule.mark != HealthRule(name="x", field="disk", above=0.96).mark
    assert rule.mark == HealthRule(name="x", field="disk", above=0.95, severity="info").mark


_NO_NUMBERS = ("nan", ".nan", "inf", "-inf", ".inf", "1e308", "-1e308", f"1{'0' * 400}", "0x10", "'1,5'")


@pytest.mark.parametrize("value", _NO_NUMBERS)
@pytest.mark.parametrize(
    "text",
    [
        "rules: {{hot: {{above: {}}}}}",
        "rules: {{hot: {{clear: {}}}}}",
        "rules: {{disk_full: {{above: {}}}}}",
        "rules: {{hot: {{for: {}}}}}",
        "rules: {{hot: {{gap: {}}}}}",
        "rules: {{hot: {{quiet: {}}}}}",
        "rules: {{hot: {{overrides: [{{kind: a, above: {}}}]}}}}",
        "fresh: {}",
    ],
)
def test_a_number_that_is_none_or_has_no_end_is_told(text: str, value: str) -> None:
    with pytest.raises(RemedyError, match=r"mine.yaml line 1: (above|clear|for|gap|quiet|fresh) is '"):
        over_shipped(text.format(value))


@pytest.mark.parametrize("key", ["fresh: {}", "rules: {{hot: {{gap: {}}}}}", "rules: {{hot: {{quiet: {}}}}}"])
@pytest.mark.parametrize("value", ["0", "0s", "0.5s", "367d"])
def test_a_time_within_which_something_must_come_again_is_some(key: str, value: str) -> None:
    """With none every two samples would be too far apart, and a rule with `for` would never fire."""
    with pytest.raises(RemedyError, match=f"is '{value}': it must be a time"):
        over_shipped(key.format(value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules:\n  disk_full:\n    above: 120%\n", "mine.yaml line 3: above is '120%': it must be a share"),
        ("rules:\n  x:\n    field: dsk\n", "mine.yaml line 3: rule x looks at 'dsk': give one of cpu, memory"),
        ("rules:\n\n  x:\n    above: 1\n", "mine.yaml line 4: rule x has no field: give one of"),
        ("rules:\n  x: {field: disk, above: 1%, below: 2%}", "mine.yaml line 2: rule x needs above or below, exactly"),
        ("rules:\n  x: {field: wifi, above: 1}", "line 2: rule x needs is, exactly one"),
        ("rules:\n  x: {field: disk, above: 50%, clear: 60%}", "line 2: clear of rule x lies above its own threshold"),
        (
            "rules:\n  x: {field: outbox_dropped, above: 1, for: 5m}",
            "line 2: rule x looks at events, which do not last",
        ),
        ("rules:\n  hot:\n    for: soon", "mine.yaml line 3: for is 'soon': it must be a time, such as 90s"),
        ("rules:\n  hot:\n    severity: bad", "line 3: severity is 'bad': it must be one of info, warning, critical"),
        (
            "rules:\n  hot:\n    treshold: 3",
            "mine.yaml line 3: rule hot has no key 'treshold': allowed are field, above",
        ),
        ("rules:\n  hot:\n    for: 1m\n    for: 2m", "mine.yaml line 4: for is given twice in rule hot: keep one"),
        ("rules:\n  Hot!: {field: disk}", "line 2: a rule cannot be called 'Hot!'"),
        ("rules:\n  hot:\n    overrides:\n      - above: 90", "line 4: an override of hot names neither kind nor area"),
        (
            "rules:\n  hot:\n    overrides:\n      - {area: '12345', above: 90}",
            "line 4: area is '12345': '12345' has 5 dig",
        ),
        ("rules:\n  hot:\n    overrides:\n      - {kind: a, above: 70}", "line 4: clear of rule hot lies above"),
        ("rules:\n  agent_too_old: {below: new}", "line 2: below is 'new': it must be a version"),
        ("extends: some", "mine.yaml line 1: extends is 'some': it must be `default` or `none`"),
        ("ruls: 1", "mine.yaml line 1: the file has no key 'ruls': allowed are extends, fresh, rules"),
        ("rules: [1, 2]", "mine.yaml line 1: rules must be `key: value` lines"),
        ("rules:\n  hot: [", "mine.yaml line 2: this is not YAML"),
        ("rules:\n  hot: {above: {a: 1}}", "mine.yaml line 2: above must be a single value"),
        ("rules:\n  hot: &a {above: 90}\n  b: *a\n  c: !!python/name:os.system", "mine.yaml line"),
        ("x" * 300_000, "mine.yaml has 300000 characters"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(RemedyError) as caught:
        over_shipped(text)
    assert expected in str(caught.value)


def test_all_mistakes_are_counted() -> None:
    with pytest.raises(RemedyError, match=r"line 2: .* \(and 1 more\)$"):
        over_shipped("rules:\n  hot: {above: much}\n  cold: {field: temperature}\n  x: {field: disk, above: 1}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match=r"MILEPOST_HEALTH_RULES names .*rules\.yaml, which cannot be read"):
        load_rules(tmp_path / "rules.yaml")


def test_versions() -> None:
    assert version_number("1.2.3-rc1") == version_number("v1.2.3") == 1_002_003
    assert version_number("0.10") == 10_000
    assert [version_number(text) for text in ("", "latest", "1234.0.0")] == [None, None, None]
    assert version_text(1_002_003.0) == "1.2.3"
