"""Makes health rules of what files say: later files over earlier ones, every rule checked. Pure; text in, rules out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from alerting.health.rule_fields import SOURCES, Source
from alerting.health.rule_values import read_flag, read_period, value_readers
from alerting.health.rules import FRESH, HealthRule, RuleOverride, RuleSet
from alerting.health.rules_yaml import Given, Keys, Problems, RulesDocument, WrittenRule, read_document
from alerting.health.spells import SampleLevel
from contract.said import Said, said_by
from registry.codes import normal_code

MAX_RULES: Final = 200
_FIELDS: Final = {"for": "hold", "is": "equals"}


def read_rules(texts: Sequence[tuple[str, str]]) -> RuleSet:
    """The rules of (name, text) files, each extending those before it unless it says `extends: none`.

    Raises RemedyError with file, line, what is wrong and what is allowed; the first mistake, and how many more.
    """
    problems = Problems()
    documents = [read_document(name, text, problems) for name, text in texts]
    rules, fresh = _merged(documents)
    found = _RuleBuilder(problems).rule_set(rules, fresh, texts[-1][0] if texts else "")
    problems.raise_first()
    return found


def _merged(documents: Sequence[RulesDocument]) -> tuple[dict[str, WrittenRule], Given | None]:
    """The rules of the last file over those of the files before it, and the last `fresh`."""
    rules: dict[str, WrittenRule] = {}
    fresh: Given | None = None
    for document in documents:
        if not document.extends:
            rules, fresh = {}, None
        fresh = document.fresh or fresh
        for name, rule in document.rules.items():
            rules[name] = _over(rules.get(name), rule)
    return rules, fresh


def _over(before: WrittenRule | None, entry: WrittenRule) -> WrittenRule:
    if before is None:
        return entry
    overrides = entry.overrides or before.overrides
    return WrittenRule(entry.where, before.keys | entry.keys, overrides)


class _RuleBuilder:
    """Makes rules of what is written; a rule with a mistake is left out, and the mistake noted."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def rule_set(self, entries: Mapping[str, WrittenRule], fresh: Given | None, name: str) -> RuleSet:
        """The rules; `name` is that of the last file, to which a number of rules that is too high is attributed."""
        if len(entries) > MAX_RULES:
            self._problems.add(
                Said(name, name),
                f"there are {len(entries)} rules: at most {MAX_RULES} are allowed",
                f"有 {len(entries)} 条规则，最多 {MAX_RULES} 条",
            )
        made = {name: rule for name, entry in entries.items() if (rule := self._rule(name, entry)) is not None}
        overrides = {name: self._overriding(rule, entries[name]) for name, rule in made.items()}
        off = [name for name in made if self._flag(entries[name].keys.get("off"))]
        seconds = None if fresh is None else self._value(fresh, "fresh", read_period)
        return RuleSet(
            rules=tuple(made.values()),
            off=tuple(off),
            overrides={name: each for name, each in overrides.items() if each},
            fresh=FRESH if seconds is None else seconds,
        )

    def _rule(self, name: str, entry: WrittenRule) -> HealthRule | None:
        field = entry.keys.get("field")
        if field is None or field.text not in SOURCES:
            en, zh = ("has no field", "没有 field")
            if field is not None:
                en, zh = f"looks at {field.text!r}", f"的 field 为 {field.text!r}"
            self._problems.add(
                field.where if field else entry.where,
                f"rule {name} {en}: give one of {', '.join(SOURCES)}",
                f"规则 {name} {zh}，可用：{'、'.join(SOURCES)}",
            )
            return None
        before = len(self._problems)
        values = {"quiet": SOURCES[field.text].quiet} | self._values(entry.keys, SOURCES[field.text])
        if len(self._problems) > before:
            return None  # the mistake is already noted
        return self._checked(HealthRule(name=name, field=field.text, **values), entry.where)

    def _overriding(self, rule: HealthRule, entry: WrittenRule) -> tuple[RuleOverride, ...]:
        found = []
        for where, keys in entry.overrides:
            before = len(self._problems)
            changes = self._values(keys, rule.source)
            if "kind" not in keys and "area" not in keys:
                self._problems.add(
                    where,
                    f"an override of {rule.name} names neither kind nor area: give one of them",
                    f"{rule.name} 的 overrides 须写明 kind 或 area",
                )
            if len(self._problems) == before:
                self._checked(msgspec.structs.replace(rule, **changes), where)
            area = keys.get("area")
            found.append(
                RuleOverride(
                    kind=keys["kind"].text if "kind" in keys else None,
                    area=self._value(area, "area", normal_code) if area else None,
                    off=self._flag(keys.get("off")),
                    changes=changes,
                )
            )
        return tuple(found)

    def _values(self, keys: Keys, source: Source) -> dict[str, Any]:
        """The fields of a rule that the keys set."""
        readers = value_readers(source)
        return {
            _FIELDS.get(name, name): self._value(given, name, readers[name])
            for name, given in keys.items()
            if name in readers
        }

    def _value(self, given: Given, name: str, read: Callable[[str], Any]) -> Any:
        try:
            return read(given.text)
        except ValueError as exc:
            reason = said_by(exc)
            self._problems.add(
                given.where, f"{name} is {given.text!r}: {reason.en}", f"{name} 为 {given.text!r}：{reason.zh}"
            )
            return None

    def _flag(self, given: Given | None) -> bool | None:
        return None if given is None else self._value(given, "off", read_flag)

    def _checked(self, rule: HealthRule, where: Said) -> HealthRule:
        """Whether a rule's keys go together."""
        tests = [name for name in ("above", "below", "equals") if getattr(rule, name) is not None]
        wanted = {"flag": ("equals",), "version": ("below", "above")}.get(rule.source.test, ("above", "below"))
        shown = ["is" if name == "equals" else name for name in wanted]
        if len(tests) != 1 or tests[0] not in wanted:
            self._problems.add(
                where,
                f"rule {rule.name} needs {' or '.join(shown)}, exactly one, for the field {rule.field}",
                f"规则 {rule.name} 的 field 为 {rule.field}，须且只须写 {' 或 '.join(shown)}",
            )
        elif rule.clear is not None and rule.judge(rule.clear) is not SampleLevel.CLEAR:
            side = "above" if rule.above is not None else "below"
            self._problems.add(
                where,
                f"clear of rule {rule.name} lies {side} its own threshold: it must lie on the good side",
                f"规则 {rule.name} 的 clear 须在阈值正常的一侧",
            )
        elif rule.hold > 0 and not rule.source.latched:
            self._problems.add(
                where,
                f"rule {rule.name} looks at events, which do not last: leave out `for`",
                f"规则 {rule.name} 针对事件，事件没有持续时间：请去掉 `for`",
            )
        return rule
