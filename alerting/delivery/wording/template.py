"""A template: text with placeholders in braces, from a closed list. It is filled in once and runs nothing. Pure.

`{name}` stands for a value, `{{` and `}}` for braces. A value is never looked at for placeholders.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from alerting.delivery.facts import seams
from contract.errors import RemedyError

MOST_TEXT: Final = 2000
"""Characters of a template."""
_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_UNSEEN: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Placeholder(msgspec.Struct, frozen=True):
    """The place of a value in a template."""

    name: str


class StoredTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A template as it is stored, perhaps by an older version."""

    name: str
    language: str
    text: str
    edited_at: datetime
    edited_by: str


TemplateParts = tuple[str | Placeholder, ...]
"""A template, taken apart."""


def parse_template(text: str, known: Collection[str]) -> TemplateParts:
    """The parts of a template. Raises RemedyError for a placeholder that is not `known`, which it names, for a single
    brace, for a text that is empty or longer than MOST_TEXT, and for characters that are not seen."""
    if not text.strip() or len(text) > MOST_TEXT:
        raise RemedyError(
            f"a template has 1 to {MOST_TEXT} characters: shorten it, or reset it to get the text of Milepost",
            f"模板须有 1 至 {MOST_TEXT} 个字符：请缩短；要恢复默认文字，请重置",
        )
    if found := _UNSEEN.search(text):
        raise RemedyError(
            f"the template has the character U+{ord(found[0]):04X}, which nobody sees: remove it",
            f"模板含有不可见字符 U+{ord(found[0]):04X}：请删除",
        )
    return tuple(_parts(text, known))


def _parts(text: str, known: Collection[str]) -> Iterator[str | Placeholder]:
    end = 0
    for token in _TOKEN.finditer(text):
        if token.start() > end:
            yield text[end : token.start()]
        yield _part(token, known)
        end = token.end()
    if end < len(text):
        yield text[end:]


def _part(token: re.Match[str], known: Collection[str]) -> str | Placeholder:
    if token[0] in ("{{", "}}"):
        return token[0][0]
    if token[1] is None:
        raise RemedyError(
            f"the template has a single {token[0]}: write {token[0] * 2} for the character itself",
            f"模板中有单独的 {token[0]}：要写这个字符，请写 {token[0] * 2}",
        )
    if token[1] not in known:
        listed = ", ".join(f"{{{name}}}" for name in known)
        raise RemedyError(
            f"there is no placeholder {{{token[1][:40]}}} here: use {listed}",
            f"这里没有占位符 {{{token[1][:40]}}}：可用 {listed}",
        )
    return Placeholder(token[1])


def fill_in(parts: TemplateParts, values: Mapping[str, str]) -> str:
    """The text with its values. Where a value and its surroundings together would make a link or a mention, a
    zero-width space keeps them apart; what stands in the template itself stays as it is."""
    text: list[str] = []
    ours: list[bool] = []
    for part in parts:
        piece = values[part.name] if isinstance(part, Placeholder) else part
        text.append(piece)
        ours += [isinstance(part, str)] * len(piece)
    return seams("".join(text), ours)


def names_in(parts: TemplateParts) -> set[str]:
    """The names of the placeholders of a template."""
    return {part.name for part in parts if isinstance(part, Placeholder)}
