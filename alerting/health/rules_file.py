"""Reading health rules from YAML: every mistake with its line and what is allowed. Pure; text in, rules out."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

import msgspec
import yaml

from alerting.health.rule_fields import SOURCES, Source, version_number
from alerting.health.rules import SEVERITIES, Override, Rule, RuleSet, Severity
from alerting.health.spells import Sample
from contract.errors import RemedyError
from contract.said import Said, SaidError, said_by
from registry.codes import normal_code

MAX_TEXT: Final = 256 * 1024
MAX_RULES: Final = 200
MAX_OVERRIDES: Final = 1_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TOP: Final = ("extends", "fresh", "rules")
_RULE: Final = ("field", "above", "below", "is", "clear", "for", "gap", "quiet", "severity", "off", "overrides")
_OVERRIDE: Final = ("kind", "area", "above", "below", "is", "clear", "for", "gap", "quiet", "severity", "off")
_FIELDS: Final = {"for": "hold", "is": "equals"}


class _WrongError(SaidError):
    """What is wrong with a value."""


class Given(NamedTuple):
    """A scalar of the file, as text, and where it stands."""

    text: str
    where: Said


Keys = dict[str, Given]


class _Entry(msgspec.Struct):
    """A rule as written: its keys, the later file's over the earlier's, and its overrides."""

    where: Said
    keys: Keys
    overrides: list[tuple[Said, Keys]] = []


class _File(NamedTuple):
    extends: bool
    fresh: Given | None
    rules: dict[str, _Entry]


def read_rules(texts: Sequence[tuple[str, str]]) -> RuleSet:
    """The rules of (name, text) files, each extending those before it unless it says `extends: none`.

    Raises RemedyError with file, line, what is wrong and what is allowed; the first mistake, and how many more.
    """
    reader = _Reader()
    files = [reader.file(name, text) for name, text in texts]
    return reader.done(files)


class _Reader:
    def __init__(self) -> None:
        self._name = ""
        self._problems: list[Said] = []

    def file(self, name: str, text: str) -> _File:
        self._name = name
        if len(text) > MAX_TEXT:
            raise RemedyError(
                f"{name} has {len(text)} characters: a file of health rules may have {MAX_TEXT}",
                f"{name} 有 {len(text)} 个字符：健康规则文件最多 {MAX_TEXT} 个",
            )
        top = self._mapping(self._compose(text), Said("the file", "文件"), _TOP)
        extends = self._given(top, "extends") or Given("default", Said(name, name))
        if extends.text not in ("default", "none"):
            self._problem(
                extends.where,
                f"extends is {extends.text!r}: it must be `default` or `none`",
                f"extends 为 {extends.text!r}：须为 `default` 或 `none`",
            )
        return _File(extends.text != "none", self._given(top, "fresh"), self._rules(top.get("rules")))

    def done(self, files: Sequence[_File]) -> RuleSet:
        """Put the files over each other and make rules of it."""
        entries: dict[str, _Entry] = {}
        fresh: Given | None = None
        for file in files:
            if not file.extends:
                entries, fresh = {}, None
            fresh = file.fresh or fresh
            for name, entry in file.rules.items():
                entries[name] = _over(entries.get(name), entry)
        found = self._rule_set(entries, fresh)
        if self._problems:
            first, others = self._problems[0], len(self._problems) - 1
            en, zh = (f" (and {others} more)", f"（另有 {others} 处）") if others else ("", "")
            raise RemedyError(first.en + en, first.zh + zh)
        return found

    # YAML

    def _compose(self, text: str) -> yaml.Node | None:
        try:
            node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as exc:
            line = exc.problem_mark.line + 1 if exc.problem_mark else 1
            raise RemedyError(
                f"{self._name} line {line}: this is not YAML: {exc.problem or exc.context}",
                f"{self._name} 第 {line} 行不是 YAML：{exc.problem or exc.context}",
            ) from exc
        except (yaml.YAMLError, RecursionError) as exc:
            raise RemedyError(f"{self._name} is not YAML: {exc}", f"{self._name} 不是 YAML：{exc}") from exc
        return node

    def _where(self, node: yaml.Node) -> Said:
        line = node.start_mark.line + 1
        return Said(f"{self._name} line {line}", f"{self._name} 第 {line} 行")

    def _problem(self, where: Said, en: str, zh: str) -> None:
        self._problems.append(Said(f"{where.en}: {en}", f"{where.zh}：{zh}"))

    def _mapping(self, node: yaml.Node | None, what: Said, allowed: Sequence[str] | None) -> dict[str, yaml.Node]:
        """The keys of a mapping, each once; None allows any."""
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            return {}
        if not isinstance(node, yaml.MappingNode):
            self._problem(
                self._where(node), f"{what.en} must be `key: value` lines", f"{what.zh}须由 `key: value` 行组成"
            )
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name in found:
                self._problem(
                    self._where(key),
                    f"{name} is given twice in {what.en}: keep one",
                    f"{what.zh}中有两个 {name}：请只保留一个",
                )
            elif allowed is not None and name not in allowed:
                self._problem(
                    self._where(key),
                    f"{what.en} has no key {name!r}: allowed are {', '.join(allowed)}",
                    f"{what.zh}没有 {name!r} 这一项，可用：{'、'.join(allowed)}",
                )
            else:
                found[name] = value
        return found

    def _given(self, keys: Mapping[str, yaml.Node], name: str) -> Given | None:
        node = keys.get(name)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self._problem(self._where(node), f"{name} must be a single value", f"{name} 须为单个值")
            return None
        return Given(str(node.value), self._where(node))

    def _rules(self, node: yaml.Node | None) -> dict[str, _Entry]:
        found = {}
        for name, inner in self._mapping(node, Said("rules", "rules "), None).items():
            if not _NAME.fullmatch(name):
                self._problem(
                    self._where(inner),
                    f"a rule cannot be called {name!r}: use a-z, 0-9 and _, at most 32",
                    f"规则名 {name!r} 无效：请用 a-z、0-9 和 _，最多 32 个",
                )
                continue
            keys = self._mapping(inner, Said(f"rule {name}", f"规则 {name} "), _RULE)
            overrides = self._overrides(name, keys.pop("overrides", None))
            found[name] = _Entry(self._where(inner), self._scalars(keys), overrides)
        return found

    def _overrides(self, rule: str, node: yaml.Node | None) -> list[tuple[Said, Keys]]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or len(node.value) > MAX_OVERRIDES:
            self._problem(
                self._where(node),
                f"overrides of {rule} must be a list of at most {MAX_OVERRIDES}",
                f"{rule} 的 overrides 须为列表，最多 {MAX_OVERRIDES} 项",
            )
            return []
        what = Said(f"an override of {rule}", f"{rule} 的 overrides ")
        return [(self._where(each), self._scalars(self._mapping(each, what, _OVERRIDE))) for each in node.value]

    def _scalars(self, nodes: Mapping[str, yaml.Node]) -> Keys:
        given = {name: self._given(nodes, name) for name in nodes}
        return {name: value for name, value in given.items() if value is not None}

    # Rules

    def _rule_set(self, entries: Mapping[str, _Entry], fresh: Given | None) -> RuleSet:
        if len(entries) > MAX_RULES:
            self._problem(
                Said(self._name, self._name),
                f"there are {len(entries)} rules: at most {MAX_RULES} are allowed",
                f"有 {len(entries)} 条规则，最多 {MAX_RULES} 条",
            )
        made = {name: rule for name, entry in entries.items() if (rule := self._rule(name, entry)) is not None}
        overrides = {name: self._overriding(rule, entries[name]) for name, rule in made.items()}
        off = [name for name in made if self._flag(entries[name].keys.get("off"))]
        seconds = 600.0 if fresh is None else self._value(fresh, "fresh", _some_time)
        return RuleSet(
            rules=tuple(made.values()),
            off=tuple(off),
            overrides={name: each for name, each in overrides.items() if each},
            fresh=600.0 if seconds is None else seconds,
        )

    def _rule(self, name: str, entry: _Entry) -> Rule | None:
        field = entry.keys.get("field")
        if field is None or field.text not in SOURCES:
            en, zh = ("has no field", "没有 field")
            if field is not None:
                en, zh = f"looks at {field.text!r}", f"的 field 为 {field.text!r}"
            self._problem(
                field.where if field else entry.where,
                f"rule {name} {en}: give one of {', '.join(SOURCES)}",
                f"规则 {name} {zh}，可用：{'、'.join(SOURCES)}",
            )
            return None
        before = len(self._problems)
        values = {"quiet": SOURCES[field.text].quiet} | self._values(entry.keys, SOURCES[field.text])
        if len(self._problems) > before:
            return None  # said already
        return self._checked(Rule(name=name, field=field.text, **values), entry.where)

    def _overriding(self, rule: Rule, entry: _Entry) -> tuple[Override, ...]:
        found = []
        for where, keys in entry.overrides:
            before = len(self._problems)
            changes = self._values(keys, rule.source)
            if "kind" not in keys and "area" not in keys:
                self._problem(
                    where,
                    f"an override of {rule.name} names neither kind nor area: give one of them",
                    f"{rule.name} 的 overrides 须写明 kind 或 area",
                )
            if len(self._problems) == before:
                self._checked(msgspec.structs.replace(rule, **changes), where)
            area = keys.get("area")
            found.append(
                Override(
                    kind=keys["kind"].text if "kind" in keys else None,
                    area=self._value(area, "area", normal_code) if area else None,
                    off=self._flag(keys.get("off")),
                    changes=changes,
                )
            )
        return tuple(found)

    def _values(self, keys: Keys, source: Source) -> dict[str, Any]:
        """The fields of a rule that the keys set."""
        readers = _readers(source)
        return {
            _FIELDS.get(name, name): self._value(given, name, readers[name])
            for name, given in keys.items()
            if name in readers
        }

    def _value(self, given: Given, name: str, read: Callable[[str], Any]) -> Any:
        try:
            return read(given.text)
        except (_WrongError, ValueError) as exc:
            said = said_by(exc)
            self._problem(given.where, f"{name} is {given.text!r}: {said.en}", f"{name} 为 {given.text!r}：{said.zh}")
            return None

    def _flag(self, given: Given | None) -> bool | None:
        return None if given is None else self._value(given, "off", _truth)

    def _checked(self, rule: Rule, where: Said) -> Rule:
        """Whether a rule's keys go together."""
        tests = [name for name in ("above", "below", "equals") if getattr(rule, name) is not None]
        wanted = {"flag": ("equals",), "version": ("below", "above")}.get(rule.source.test, ("above", "below"))
        shown = ["is" if name == "equals" else name for name in wanted]
        if len(tests) != 1 or tests[0] not in wanted:
            self._problem(
                where,
                f"rule {rule.name} needs {' or '.join(shown)}, exactly one, for the field {rule.field}",
                f"规则 {rule.name} 的 field 为 {rule.field}，须且只须写 {' 或 '.join(shown)}",
            )
        elif rule.clear is not None and rule.judge(rule.clear) is not Sample.CLEAR:
            side = "above" if rule.above is not None else "below"
            self._problem(
                where,
                f"clear of rule {rule.name} lies {side} its own threshold: it must lie on the good side",
                f"规则 {rule.name} 的 clear 须在阈值正常的一侧",
            )
        elif rule.hold > 0 and not rule.source.latched:
            self._problem(
                where,
                f"rule {rule.name} looks at events, which do not last: leave out `for`",
                f"规则 {rule.name} 针对事件，事件没有持续时间：请去掉 `for`",
            )
        return rule


def _over(before: _Entry | None, entry: _Entry) -> _Entry:
    if before is None:
        return entry
    overrides = entry.overrides or before.overrides
    return _Entry(entry.where, before.keys | entry.keys, overrides)


def _readers(source: Source) -> dict[str, Callable[[str], Any]]:
    number = {"fraction": _fraction, "version": _version}.get(source.test, _number)
    return {
        "above": number, "below": number, "clear": number, "is": _truth, "for": _duration, "gap": _some_time,
        "quiet": _some_time, "severity": _severity,
    }  # fmt: skip


def _number(text: str) -> float:
    """A number, or a duration in seconds."""
    try:
        value = float(text) if not _DURATION.fullmatch(text.strip()) else _duration(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= 1e15:
        raise _WrongError("it must be a number, or a time, such as 5m", "须为数，或时间，如 5m")
    return value


def _fraction(text: str) -> float:
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise _WrongError("it must be a share, such as 95% or 0.95", "须为比例，如 95% 或 0.95")
    return value


def _version(text: str) -> float:
    number = version_number(text)
    if number is None:
        raise _WrongError("it must be a version, such as 0.2.0", "须为版本号，如 0.2.0")
    return number


def _duration(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    if not match or float(match[1]) * _UNITS[match[2]] > 366 * 86400:
        raise _WrongError(
            "it must be a time, such as 90s, 10m, 6h or 2d, of at most a year",
            "须为时间，如 90s、10m、6h 或 2d，最长一年",
        )
    return float(match[1]) * _UNITS[match[2]]


def _some_time(text: str) -> float:
    """A time within which something must come again: in none at all nothing does."""
    seconds = _duration(text)
    if seconds < 1:
        raise _WrongError("it must be a time of at least 1s, such as 90s or 10m", "须为不短于 1s 的时间，如 90s 或 10m")
    return seconds


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "yes", "no", "on", "off"):
        raise _WrongError("it must be true or false", "须为 true 或 false")
    return text.lower() in ("true", "yes", "on")


def _severity(text: str) -> Severity:
    if text not in get_args(Severity):
        raise _WrongError(f"it must be one of {', '.join(SEVERITIES)}", f"可用：{'、'.join(SEVERITIES)}")
    return text  # type: ignore[return-value]  # one of its values
