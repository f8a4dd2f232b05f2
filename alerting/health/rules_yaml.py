"""Reads a file of health rules from YAML into rules as they are written, each value with its line. Pure.

Every mistake is collected, with its line and what is allowed; `alerting.health.rules_file` makes rules of the rest.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import yaml

from contract.errors import RemedyError
from contract.said import Said

MAX_TEXT: Final = 256 * 1024
MAX_OVERRIDES: Final = 1_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_TOP: Final = ("extends", "fresh", "rules")
_RULE: Final = ("field", "above", "below", "is", "clear", "for", "gap", "quiet", "severity", "off", "overrides")
_OVERRIDE: Final = ("kind", "area", "above", "below", "is", "clear", "for", "gap", "quiet", "severity", "off")


class Problems:
    """The mistakes found so far, in their order."""

    def __init__(self) -> None:
        self._found: list[Said] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, where: Said, en: str, zh: str) -> None:
        """Note a mistake at a place of the file, in both languages."""
        self._found.append(Said(f"{where.en}: {en}", f"{where.zh}：{zh}"))

    def raise_first(self) -> None:
        """Raise RemedyError with the first mistake and how many more there are; nothing without a mistake."""
        if self._found:
            first, others = self._found[0], len(self._found) - 1
            en, zh = (f" (and {others} more)", f"（另有 {others} 处）") if others else ("", "")
            raise RemedyError(first.en + en, first.zh + zh)


class Given(NamedTuple):
    """A single value of the file, as text, and where it stands."""

    text: str
    where: Said


Keys = dict[str, Given]
"""The values of a rule or an override, by key."""


class WrittenRule(msgspec.Struct):
    """A rule as written: its keys, those of a later file over those of an earlier one, and its overrides."""

    where: Said
    keys: Keys
    overrides: list[tuple[Said, Keys]] = []


class RulesDocument(NamedTuple):
    """One file. `extends`: whether its rules change those of the files before; else they replace them."""

    extends: bool
    fresh: Given | None
    rules: dict[str, WrittenRule]


def read_document(name: str, text: str, problems: Problems) -> RulesDocument:
    """The content of the file `name`; mistakes go into `problems`.

    Raises RemedyError for a text that is too long or no YAML.
    """
    return _YamlReader(name, problems).document(text)


class _YamlReader:
    def __init__(self, name: str, problems: Problems) -> None:
        self._name = name
        self._problems = problems

    def document(self, text: str) -> RulesDocument:
        name = self._name
        if len(text) > MAX_TEXT:
            raise RemedyError(
                f"{name} has {len(text)} characters: a file of health rules may have {MAX_TEXT}",
                f"{name} 有 {len(text)} 个字符：健康规则文件最多 {MAX_TEXT} 个",
            )
        top = self._mapping(self._compose(text), Said("the file", "文件"), _TOP)
        extends = self._given(top, "extends") or Given("default", Said(name, name))
        if extends.text not in ("default", "none"):
            self._problems.add(
                extends.where,
                f"extends is {extends.text!r}: it must be `default` or `none`",
                f"extends 为 {extends.text!r}：须为 `default` 或 `none`",
            )
        return RulesDocument(extends.text != "none", self._given(top, "fresh"), self._rules(top.get("rules")))

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

    def _mapping(self, node: yaml.Node | None, what: Said, allowed: Sequence[str] | None) -> dict[str, yaml.Node]:
        """The keys of a mapping, each once; None allows any."""
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            return {}
        if not isinstance(node, yaml.MappingNode):
            self._problems.add(
                self._where(node), f"{what.en} must be `key: value` lines", f"{what.zh}须由 `key: value` 行组成"
            )
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name in found:
                self._problems.add(
                    self._where(key),
                    f"{name} is given twice in {what.en}: keep one",
                    f"{what.zh}中有两个 {name}：请只保留一个",
                )
            elif allowed is not None and name not in allowed:
                self._problems.add(
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
            self._problems.add(self._where(node), f"{name} must be a single value", f"{name} 须为单个值")
            return None
        return Given(str(node.value), self._where(node))

    def _rules(self, node: yaml.Node | None) -> dict[str, WrittenRule]:
        found = {}
        for name, inner in self._mapping(node, Said("rules", "rules "), None).items():
            if not _NAME.fullmatch(name):
                self._problems.add(
                    self._where(inner),
                    f"a rule cannot be called {name!r}: use a-z, 0-9 and _, at most 32",
                    f"规则名 {name!r} 无效：请用 a-z、0-9 和 _，最多 32 个",
                )
                continue
            keys = self._mapping(inner, Said(f"rule {name}", f"规则 {name} "), _RULE)
            overrides = self._overrides(name, keys.pop("overrides", None))
            found[name] = WrittenRule(self._where(inner), self._scalars(keys), overrides)
        return found

    def _overrides(self, rule: str, node: yaml.Node | None) -> list[tuple[Said, Keys]]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or len(node.value) > MAX_OVERRIDES:
            self._problems.add(
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
