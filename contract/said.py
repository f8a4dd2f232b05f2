"""What people read, in both languages: one sentence in English and the same in Chinese. Pure."""

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
    """An error whose sentence, `said`, is there in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said = Said(en, zh)


class SaidError(BilingualError, ValueError):
    """A value is not acceptable; `said` is why, with the remedy."""


def said_by(error: BaseException) -> Said:
    """What an error says; in both languages if it knows them, else its own text twice."""
    said = getattr(error, "said", None)
    return said if isinstance(said, Said) else Said(str(error), str(error))
