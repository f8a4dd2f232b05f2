"""The reasons for refusing a message or a record."""

from enum import StrEnum
from typing import Final

MAX_DETAIL: Final = 300
"""Maximum characters of the detail of a refusal; the detail may quote untrusted input."""


class Reason(StrEnum):
    """The named reasons for a dead letter."""

    BAD_TOPIC = "bad_topic"
    UNKNOWN_CHANNEL = "unknown_channel"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NUL_CHARACTER = "nul_character"
    BAD_JSON = "bad_json"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_KIND = "unknown_kind"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    TOO_MANY_TERMINALS = "too_many_terminals"


class RefusedError(Exception):
    """The message breaks the contract: `reason` names the rule, `detail` names the remedy.

    `detail` is one printable line of 1 to `MAX_DETAIL` characters, safe to log, store and show.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = _one_line(detail) or reason.value
        super().__init__(f"{reason}: {self.detail}")


def too_many_terminals(station: str, limit: int, messages: int = 1) -> str:
    """The detail of `TOO_MANY_TERMINALS`; `messages` is the number of refused messages."""
    return (
        f"station {station} has {limit} terminals; {messages} messages under further names were refused: find what "
        "invents the names, or raise MILEPOST_STATION_TERMINALS"
    )


def _one_line(text: str) -> str:
    """Escape characters that cannot be printed, and cut a text that is too long."""
    # Escaping lengthens the text: the cut before it bounds the work, the cut after it bounds the line.
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:MAX_DETAIL]).strip()
    cut = len(text) > MAX_DETAIL or len(shown) > MAX_DETAIL
    return shown[: MAX_DETAIL - 1] + "…" if cut else shown
