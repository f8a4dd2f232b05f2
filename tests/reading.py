"""A page as a person reads it: its texts with their language, also those that are shown by a pointer or read aloud."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

_SPOKEN = ("title", "aria-label", "placeholder", "alt")
_SILENT = {"script", "style", "code", "pre"}
"""What is no text: programs, and what is typed as it stands."""
_EMPTY = {"meta", "link", "input", "br", "img", "hr", "path", "rect"}
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9_'./-]*[A-Za-z0-9]|[A-Za-z]")


class Reader(HTMLParser):
    """Collects (language, text); a language holds for an element and what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []
        self._open: list[tuple[str, str]] = [("", "")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        language = given.get("lang") or self._open[-1][1]
        self.texts += [(language, text) for name in _SPOKEN if (text := given.get(name))]
        if tag == "button" and given.get("value"):
            self.texts.append((language, given["value"] or ""))
        if tag not in _EMPTY:
            self._open.append((tag, language))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while len(self._open) > 1 and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tag, language = self._open[-1]
        if data.strip() and tag not in _SILENT:
            self.texts.append((language, " ".join(data.split())))


def texts_of(page: str) -> list[tuple[str, str]]:
    """(language, text) of a page, in its order."""
    reader = Reader()
    reader.feed(page)
    return reader.texts


def latin_words(page: str) -> Iterator[tuple[str, str]]:
    """(word, text it stands in) of every word in Latin letters, of the texts that are in Chinese."""
    for language, text in texts_of(page):
        if language.startswith("zh"):
            for word in _LATIN.findall(text):
                yield word, text
