"""Reads the rules of assessments from YAML. An error names the line, the mistake and the remedy. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final, NoReturn, TypeVar

import yaml

from audit.assessments.rules import FULL_POINTS, AssessmentRules, Cap, Criterion, CriterionRule, Missing, PeriodRules
from contract.errors import RemedyError

MOST_RULES: Final = 64 * 1024
"""Characters of a file of rules."""
_MOST_CAPS: Final = 20
_DEPTH: Final = 8
_NUMBER: Final = re.compile(r"\d{1,3}(\.\d{1,2})?")
_NAME: Final = re.compile(r"[\w-]{1,32}")
_MOST_VERSION: Final = 999_999

_Node = yaml.Node
_Choice = TypeVar("_Choice", bound=StrEnum)


@cache
def default_rules() -> str:
    """The text of the rules that come with Milepost."""
    return (files(__package__) / "default_rules.yaml").read_text(encoding="utf-8")


def read_rules(text: str) -> AssessmentRules:
    """The rules in a text. Raises RemedyError for the first mistake."""
    if len(text) > MOST_RULES:
        raise RemedyError(
            f"the rules have {len(text)} characters, of at most {MOST_RULES}: shorten them",
            f"规则有 {len(text)} 个字符，最多 {MOST_RULES}：请缩短",
        )
    top = _mapping(_composed(text), ("name", "version", "month"), ("year",))
    name, version = _text(top["name"]), _text(top["version"])
    if not _NAME.fullmatch(name):
        _refuse(top["name"], f"name is {name[:40]!r}: use letters, digits, _ and -, at most 32",
                f"name 为“{name[:40]}”：请用字母、数字、_ 和 -，最多 32 个")  # fmt: skip
    if not version.isdecimal() or not version.isascii() or not 1 <= int(version[:9]) <= _MOST_VERSION:
        _refuse(top["version"], f"version must be a whole number from 1 to {_MOST_VERSION}",
                f"version 须为 1 到 {_MOST_VERSION} 的整数")  # fmt: skip
    month = _rule_set(top["month"])
    return AssessmentRules(
        name=name, version=int(version), month=month, year=_rule_set(top["year"]) if "year" in top else month
    )


def _composed(text: str) -> _Node:
    try:
        _require_plain(text)
        node: _Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        why = getattr(exc, "problem", None) or type(exc).__name__
        raise RemedyError(f"rules, line {line}: this is not YAML: {why}", f"规则第 {line} 行不是 YAML：{why}") from exc
    if node is None:
        raise RemedyError("the rules are empty: begin with those of `milepost assess rules`",
                          "规则为空：可从 `milepost assess rules` 的内容开始")  # fmt: skip
    return node


def _require_plain(text: str) -> None:
    """Refuse aliases and deep nesting, because reading them takes much more time than the text is long."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > _DEPTH:
            line = 1 if event.start_mark is None else event.start_mark.line + 1
            raise RemedyError(
                f"rules, line {line}: an alias (*name) or too deep nesting: write the rules as in the default file",
                f"规则第 {line} 行：有别名（*name）或嵌套过深：请参照默认规则书写",
            )


def _rule_set(node: _Node) -> PeriodRules:
    keys = _mapping(node, ("pass", "warn", "criteria"), ("caps",))
    passes, warns = _hundredths(keys["pass"]), _hundredths(keys["warn"])
    if warns > passes:
        _refuse(keys["warn"], "warn is above pass: lower it", "warn 高于 pass：请调低")
    if passes > FULL_POINTS:
        _refuse(keys["pass"], "pass is above 100: lower it", "pass 高于 100：请调低")
    criteria = _mapping(keys["criteria"], (), tuple(Criterion))
    found = tuple(_criterion(Criterion(name), one) for name, one in criteria.items())
    weights = sum(rule.weight for rule in found)
    if weights != 100:
        _refuse(
            keys["criteria"], f"the weights sum to {weights}: make the sum 100", f"权重合计为 {weights}：合计须为 100"
        )
    return PeriodRules(
        # In one order, so that the order of the file changes no result.
        criteria=tuple(sorted(found, key=lambda rule: list(Criterion).index(rule.criterion))),
        caps=_caps(keys["caps"], {rule.criterion for rule in found}) if "caps" in keys else (),
        passes=passes,
        warns=warns,
    )


def _criterion(criterion: Criterion, node: _Node) -> CriterionRule:
    keys = _mapping(node, ("weight", "full", "none"), ("missing",))
    weight = _text(keys["weight"])
    if not re.fullmatch(r"[1-9]\d?|100", weight):
        _refuse(keys["weight"], "weight must be a whole number from 1 to 100", "weight 须为 1 到 100 的整数")
    full, none = _hundredths(keys["full"]), _hundredths(keys["none"])
    if none >= full:
        _refuse(keys["none"], "none is not below full: lower it", "none 未低于 full：请调低")
    missing = _choice(keys["missing"], Missing) if "missing" in keys else Missing.LEFT_OUT
    return CriterionRule(criterion=criterion, weight=int(weight), full=full, none=none, missing=missing)


def _caps(node: _Node, known: set[Criterion]) -> tuple[Cap, ...]:
    if not isinstance(node, yaml.SequenceNode) or len(node.value) > _MOST_CAPS:
        _refuse(node, f"caps must be a list of at most {_MOST_CAPS}", f"caps 须为列表，最多 {_MOST_CAPS} 项")
    found = []
    for one in node.value:
        keys = _mapping(one, ("criterion", "below", "at_most"), ())
        criterion = _choice(keys["criterion"], Criterion)
        if criterion not in known:
            _refuse(keys["criterion"], f"{criterion} is not among the criteria: add it there, or remove the cap",
                    f"criteria 中没有 {criterion}：请补充，或删去此项 caps")  # fmt: skip
        found.append(Cap(criterion=criterion, below=_hundredths(keys["below"]), at_most=_hundredths(keys["at_most"])))
    return tuple(found)


def _mapping(node: _Node, needed: tuple[str, ...], optional: tuple[str, ...]) -> Mapping[str, _Node]:
    if not isinstance(node, yaml.MappingNode):
        _refuse(node, "here must be `key: value` lines", "此处须为 `key: value` 行")
    found: dict[str, _Node] = {}
    for key, value in node.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        if name in found:
            _refuse(key, f"{name} is given twice: keep one", f"{name} 重复：请只保留一个")
        if name not in (*needed, *optional):
            _refuse(key, f"there is no key {name[:40]!r}: allowed are {', '.join((*needed, *optional))}",
                    f"没有 {name[:40]!r} 这一项，可用：{'、'.join((*needed, *optional))}")  # fmt: skip
        found[name] = value
    for name in needed:
        if name not in found:
            _refuse(node, f"{name} is missing: add it", f"缺少 {name}：请补充")
    return found


def _hundredths(node: _Node) -> int:
    text = _text(node)
    if not _NUMBER.fullmatch(text) or not text.isascii():
        _refuse(node, f"{text[:40]!r} is no number from 0 to 999 with at most two decimals: correct it",
                f"“{text[:40]}”不是 0 到 999、最多两位小数的数：请改正")  # fmt: skip
    return int(Decimal(text) * 100)


def _choice(node: _Node, kind: type[_Choice]) -> _Choice:
    text = _text(node)
    if text not in list(kind):
        _refuse(node, f"{text[:40]!r} is unknown: use {', '.join(kind)}", f"“{text[:40]}”无效，可用：{'、'.join(kind)}")
    return kind(text)


def _text(node: _Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        _refuse(node, "here must be a single value", "此处须为单个值")
    return str(node.value)


def _refuse(node: _Node, en: str, zh: str) -> NoReturn:
    line = node.start_mark.line + 1
    raise RemedyError(f"rules, line {line}: {en}", f"规则第 {line} 行：{zh}")
