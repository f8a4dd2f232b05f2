"""Message templates as their pages show them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from alerting.delivery.facts import AlertMessage
from alerting.delivery.short import units
from alerting.delivery.texts import Language
from alerting.delivery.wording.names import PLACEHOLDERS, TEMPLATES, TemplateName
from alerting.delivery.wording.samples import preview
from alerting.delivery.wording.template import StoredTemplate
from alerting.delivery.wording.write import Wording, compile_wording, template_lines
from api.console.texts import Words
from contract.errors import RemedyError
from contract.said import said_by

TEMPLATE_LANGUAGES: Final[tuple[Language, ...]] = ("zh-CN", "en")


class TemplateBook(msgspec.Struct, frozen=True, kw_only=True):
    """The templates that are stored, those of them that can be used, and what is wrong with the others."""

    stored: Mapping[tuple[str, str], StoredTemplate]
    wording: Wording
    broken: Mapping[tuple[str, str], RemedyError]

    def state(self, key: tuple[str, str]) -> str:
        """default, changed or broken."""
        if key in self.broken:
            return "broken"
        return "changed" if key in self.stored else "default"

    def tried(self, name: TemplateName, language: Language, text: str) -> Wording:
        """The templates with another text of one. Raises RemedyError for a text that cannot be used."""
        return Wording({**self.wording.templates, (name, language): template_lines(name, text)})


def book_of(stored: Sequence[StoredTemplate]) -> TemplateBook:
    """The templates of the database."""
    found = {(one.name, one.language): one for one in stored}
    wording, broken = compile_wording({key: one.text for key, one in found.items()})
    return TemplateBook(stored=found, wording=wording, broken=broken)


def known_name(name: str) -> TemplateName | None:
    """The template of this name; None for one of another version."""
    return TemplateName(name) if name in set(TemplateName) else None


def list_rows(book: TemplateBook, words: Words) -> list[dict[str, Any]]:
    """A row for each template, with its state in each language; those of another version come last."""
    names = [*TemplateName, *dict.fromkeys(name for name, _ in book.stored if known_name(name) is None)]
    return [
        {
            "name": str(name),
            "what": what_of(str(name), words),
            "states": [
                (one, book.state((name, one)))
                for one in TEMPLATE_LANGUAGES
                if known_name(str(name)) or (name, one) in book.stored
            ],
        }
        for name in names
    ]


def what_of(name: str, words: Words) -> str:
    """What a template is for."""
    known = known_name(name)
    return words("template_unknown") if known is None else TEMPLATES[known].text(words.language)


def default_text(name: TemplateName) -> str:
    """A template that says what Milepost says: the form of one that is not changed begins with it."""
    return "{" + name.value.removeprefix("digest_") + "}"


def placeholder_rows(name: TemplateName, words: Words) -> list[tuple[str, str]]:
    """The placeholders of a template, and what they stand for."""
    return [("{" + one + "}", what.text(words.language)) for one, what in PLACEHOLDERS[name].items()]


def why_broken(book: TemplateBook, key: tuple[str, str], words: Words) -> str:
    """Why a template is not used; empty if it is."""
    wrong = book.broken.get(key)
    return "" if wrong is None else said_by(wrong).text(words.language)


def preview_rows(
    name: TemplateName, wording: Wording, language: Language, public_url: str | None, now: datetime
) -> list[tuple[AlertMessage, int]]:
    """The messages of a preview, and how long the short form of each is."""
    return [(one, units(one.short)) for one in preview(name, wording, language, public_url, now)]
