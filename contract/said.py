"""Texts for people in both languages: one sentence in English and the same sentence in Chinese. Pure."""

import msgspec


class Said(msgspec.Struct, frozen=True):
    """One sentence in English and in Chinese, complete with its values."""

    en: str
    zh: str

    def text(self, language: str) -> str:
        """The sentence in `language` (zh-CN or en)."""
        return self.zh if language.startswith("zh") else self.en

    def __str__(self) -> str:
        return self.en


class BilingualError(Exception):
    """An error with its message in both languages (`said`)."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said = Said(en, zh)


class SaidError(BilingualError, ValueError):
    """A value is not acceptable; `said` names the mistake and the remedy."""


def capital(text: str) -> str:
    """The text with a capital letter: a word of the glossary at the beginning of a heading or a label."""
    return text[:1].upper() + text[1:]


def said_by(error: BaseException) -> Said:
    """The message of an error in both languages; an error without a translation gives its own text for both."""
    said = getattr(error, "said", None)
    return said if isinstance(said, Said) else Said(str(error), str(error))
